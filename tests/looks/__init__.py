"""What the widgets look like: every state in every theme, as the gallery shows them."""
