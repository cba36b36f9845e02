"""Metrics of synthetic images beside real ones, with their sample size, uncertainty and real-vs-real floor."""
