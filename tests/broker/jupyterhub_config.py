# The hub of the tests: it starts no servers, and gives tokens to users and services.
import json
import os

c = get_config()  # noqa: F821
work_dir = os.environ["HUB_WORK_DIR"]

c.JupyterHub.bind_url = f"http://127.0.0.1:{os.environ['HUB_PORT']}"
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{os.environ['HUB_OWN_PORT']}"
c.JupyterHub.db_url = f"sqlite:///{work_dir}/hub.sqlite"
c.JupyterHub.cookie_secret_file = f"{work_dir}/cookie_secret"
c.JupyterHub.authenticator_class = "dummy"
c.JupyterHub.spawner_class = "simple"
c.JupyterHub.services = [
    {"name": "tests", "api_token": os.environ["HUB_TESTS_TOKEN"]},
    {"name": "tokentoss", "api_token": os.environ["HUB_BROKER_TOKEN"]},
    {"name": "other"},
]
c.JupyterHub.load_roles = [
    {
        "name": "tests",
        "scopes": ["admin:users", "admin:auth_state", "tokens", "access:services"],
        "services": ["tests"],
    },
    {
        "name": "user",
        "scopes": ["self", "access:services!service=tokentoss", "access:services!service=other"],
    },
]
c.Authenticator.allow_all = True
c.Authenticator.enable_auth_state = "JUPYTERHUB_CRYPT_KEY" in os.environ
c.ConfigurableHTTPProxy.command = json.loads(os.environ["HUB_PROXY"])
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{os.environ['HUB_PROXY_API_PORT']}"
c.ConfigurableHTTPProxy.pid_file = f"{work_dir}/proxy.pid"
