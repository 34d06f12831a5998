"""Figures of training, features, reasons and the monthly evaluation."""
