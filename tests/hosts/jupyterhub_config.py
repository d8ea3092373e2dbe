# The hub of the tests: everybody may sign in under any name, and servers are processes of this machine.
# What differs from run to run stands in the environment.
import json
import os

c = get_config()  # noqa: F821
work_dir = os.environ["HUB_WORK_DIR"]
headers = json.loads(os.environ["HUB_HEADERS"])

# As a site has it, who knows nothing of the tests; they add to it.
load_subconfig(os.environ["HUB_SITE"])  # noqa: F821

c.JupyterHub.bind_url = f"http://127.0.0.1:{os.environ['HUB_PORT']}"
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{os.environ['HUB_OWN_PORT']}"
c.JupyterHub.db_url = f"sqlite:///{work_dir}/hub.sqlite"
c.JupyterHub.cookie_secret_file = f"{work_dir}/cookie_secret"
c.JupyterHub.authenticator_class = "dummy"
c.JupyterHub.spawner_class = "simple"
c.JupyterHub.load_roles.append(
    {
        "name": "tests",
        "scopes": ["admin:servers", "access:servers", "admin:users", "list:users"],
        "services": ["tests"],
    }
)
c.JupyterHub.services.append({"name": "tests", "api_token": os.environ["HUB_TESTS_TOKEN"]})
c.JupyterHub.services.extend(json.loads(os.environ["HUB_SERVICES"]))
c.Authenticator.allow_all = True
c.ConfigurableHTTPProxy.command = json.loads(os.environ["HUB_PROXY"])
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{os.environ['HUB_PROXY_API_PORT']}"
c.ConfigurableHTTPProxy.pid_file = f"{work_dir}/proxy.pid"
c.SimpleLocalProcessSpawner.home_dir_template = f"{work_dir}/users/{{username}}"
c.Spawner.cmd = json.loads(os.environ["HUB_SINGLEUSER"])
c.Spawner.env_keep.extend(json.loads(os.environ["HUB_ENV_KEEP"]))
# A busy machine takes longer than the hub waits by itself.
c.Spawner.start_timeout = c.Spawner.http_timeout = int(os.environ["HUB_PATIENCE"])
c.Spawner.environment.update(json.loads(os.environ["HUB_USER_ENVIRONMENT"]))
c.Spawner.args = [
    "--allow-root",
    "--LabApp.expose_app_in_browser=True",
    f"--ServerApp.tornado_settings={{'headers': {headers!r}}}",
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    "--LabApp.extension_manager=readonly",
]
