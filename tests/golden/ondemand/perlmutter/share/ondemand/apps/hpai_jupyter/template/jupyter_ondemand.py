"""How the server is reached: through OnDemand's proxy, with the secret that this start of it has."""

import os

import jupyter_server

c = get_config()
secret = os.environ["ONDEMAND_SECRET"]
c.ServerApp.ip = "0.0.0.0"  # the proxy is another machine
c.ServerApp.port = int(os.environ["port"])
c.ServerApp.port_retries = 0  # OnDemand knows this port alone
c.ServerApp.base_url = "/node/{}/{}/".format(os.environ["host"], os.environ["port"])
c.ServerApp.root_dir = os.environ["ONDEMAND_DIRECTORY"]
c.ServerApp.open_browser = False
c.ServerApp.trust_xheaders = True  # the proxy says whether the browser came by https
c.ServerApp.allow_remote_access = True
# The proxy asks by the node's name, not by the portal's, so a browser's origin never fits. Pages of other sites
# are kept out by the cookie, which browsers do not send with what those ask for.
c.ServerApp.allow_origin = "*"
if jupyter_server.version_info[0] < 2:
    c.ServerApp.token = secret
    c.ServerApp.cookie_options = {"SameSite": "Lax"}
else:
    c.IdentityProvider.token = secret
    c.IdentityProvider.cookie_options = {"SameSite": "Lax"}
