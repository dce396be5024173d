"""Clusters: their profiles, the calls of their batch system, and what its logs and accounts say."""
