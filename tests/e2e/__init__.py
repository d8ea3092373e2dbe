"""Sign-ins for real: JupyterLab, its kernels, Chromium and the local OpenID provider."""
