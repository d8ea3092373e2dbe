"""Enters a device's code at the local provider, as a user does in the browser of another device."""

from __future__ import annotations

import re
from urllib.parse import urljoin

import requests

TIMEOUT = 60
MOST_STEPS = 12

_FIELD = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)"')
_ACTION = re.compile(r'<form[^>]*action="([^"]+)"')


def enter_code(verification_uri: str, user_code: str, login: str, *, approve: bool = True) -> str:
    """Enter the code, then sign in and approve, or decline; return the text of the last page."""
    session = requests.Session()
    page = session.get(verification_uri, timeout=TIMEOUT)
    page = _submit(session, page, user_code=user_code)
    if 'name="confirm"' in page.text:
        page = _submit(session, page, **({"confirm": "yes"} if approve else {"abort": "yes"}))
    for _ in range(MOST_STEPS):
        if "/interaction/" not in page.url:
            break
        answer = (
            {"prompt": "login", "login": login, "password": "any"}
            if 'name="login"' in page.text
            else {"prompt": "consent"}
        )
        page = session.post(page.url, data=answer, timeout=TIMEOUT)
    return page.text


def _submit(session: requests.Session, page: requests.Response, **fields: str) -> requests.Response:
    """Send the page's form with its hidden fields and these."""
    action = _ACTION.search(page.text)
    assert action is not None, page.text
    form = dict(_FIELD.findall(page.text)) | fields
    return session.post(urljoin(page.url, action[1]), data=form, timeout=TIMEOUT)
