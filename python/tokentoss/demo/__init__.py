"""What ``tokentoss demo`` runs: a provider without passwords and an API, on this computer only."""
