"""The line doctor: calls a path, examines it and says what it is worth to a modem."""

from ansam.doctor.diagnosis import Diagnosis, Grade, Item
from ansam.doctor.discovery import Far
from ansam.doctor.grading import diagnose
from ansam.doctor.media import Media
from ansam.doctor.party import Examination, Findings
from ansam.doctor.prediction import Prediction

__all__ = ["Diagnosis", "Examination", "Far", "Findings", "Grade", "Item", "Media", "Prediction", "diagnose"]
