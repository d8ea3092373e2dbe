// The code is spent, and need not stay in the address bar.
history.replaceState(null, "", location.pathname);
