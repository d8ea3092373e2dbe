"""Whole sign-ins with providers that share no code with each other, nor with the product."""
