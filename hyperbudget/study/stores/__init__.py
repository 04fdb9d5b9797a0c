"""Databases, servers and journals by their URI: opened, waited for, and what is said when one is gone."""
