"""The AT command interpreter: V.250 conventions with the texts of US Robotics modems."""
