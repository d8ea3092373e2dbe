"""What every other package may use: addresses, HTTP, encodings, files and forks."""
