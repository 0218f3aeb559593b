"""Converters between numbers and volts or amperes."""
