"""Patients, their lesions, visits and pictures, what was answered, and what doctors said of it."""
