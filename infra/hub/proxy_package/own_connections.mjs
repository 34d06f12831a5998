// Each request to a unix socket has a connection of its own, which the proxy closes, not the server.
//
// Without an agent the proxy asks the server to close ("Connection: close"). A server that answers at once then closes
// before Node has written the empty end of a request with a body; on a unix socket that write fails (EPIPE), and the
// browser receives 503 for what was carried out. An agent that keeps no connection asks for keep-alive instead.
import { createRequire } from "node:module";
import http from "node:http";
import { pathToFileURL } from "node:url";

const proxy = createRequire(process.argv[1]).resolve("configurable-http-proxy");
const { ConfigurableProxy } = await import(pathToFileURL(proxy));
class OneRequestAgent extends http.Agent {
  keepSocketAlive() {
    return false;
  }
}

const agent = new OneRequestAgent({ keepAlive: true });
const optionsFor = ConfigurableProxy.prototype.proxyOptsForTarget;

ConfigurableProxy.prototype.proxyOptsForTarget = function (target) {
  const options = optionsFor.call(this, target);
  return options.target.socketPath ? { ...options, agent } : options;
};
