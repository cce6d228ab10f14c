// The least service behind a Restate server.
//
//   node restate_service.mjs PORT UPSTREAM_PORT
//
// charges/forwarded forwards to the upstream as a step that the server records; charges/local answers by itself.
import http2 from "node:http2";

// The SDK uses what node has since version 22.
Promise.withResolvers ??= function () {
  let resolve, reject;
  const promise = new this((resolves, rejects) => {
    resolve = resolves;
    reject = rejects;
  });
  return { promise, resolve, reject };
};
Promise.try ??= function (run, ...given) {
  return new this((resolve) => resolve(run(...given)));
};
const restate = await import("@restatedev/restate-sdk");
const { answer, forward } = await import("./forward.mjs");

const [port, upstreamPort] = process.argv.slice(2).map(Number);

const charges = restate.service({
  name: "charges",
  handlers: {
    // The server keeps the client's key to itself.
    forwarded: (context, body) => context.run("charge", async () =>
      JSON.parse(await forward(upstreamPort, "/v1/charges", undefined, JSON.stringify(body)))),
    local: async () => answer(),
  },
});

http2.createServer(restate.createEndpointHandler({ services: [charges] })).listen(port, "127.0.0.1");
