"""Torc runs workflows of many jobs, with dependencies and unequal resources, on laptops and HPC clusters."""

__version__ = "0.8.0"
