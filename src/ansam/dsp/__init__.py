"""Signal processing without V-numbers: kernels over plain arrays and the classes that hold their state."""
