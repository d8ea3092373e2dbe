"""Benchmarks of what users wait for, beside other packages in the same run."""
