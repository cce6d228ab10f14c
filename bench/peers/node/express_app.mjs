// An Express application behind the middleware express-idempotency, whose records are in Redis.
//
//   node express_app.mjs PORT WORKERS UPSTREAM_PORT REDIS_PORT
//
// POST /v1/charges is forwarded to the upstream, POST /v1/local answered by the application itself.
import cluster from "node:cluster";

import express from "express";
import { getSharedIdempotencyService, idempotency } from "express-idempotency";
import redisAdapter from "express-idempotency-redis-adapter";

import { answer, forward } from "./forward.mjs";

const [port, workers, upstreamPort, redisPort] = process.argv.slice(2).map(Number);

async function serve() {
  const dataAdapter = new redisAdapter.default({ connectionConfig: { url: `redis://127.0.0.1:${redisPort}` } });
  await dataAdapter.connect();
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.use(express.json());
  app.use(idempotency({ dataAdapter }));

  // The middleware calls the handler for a replay too, which it has answered by then.
  const guarded = (run) => async (request, response, next) => {
    if (getSharedIdempotencyService().isHit(request)) return;
    try {
      response.type("application/json").send(await run(request));
    } catch (error) {
      next(error);
    }
  };
  app.post("/v1/charges", guarded((request) =>
    forward(upstreamPort, "/v1/charges", request.get("Idempotency-Key"), JSON.stringify(request.body))));
  app.post("/v1/local", guarded(() => JSON.stringify(answer())));
  // Express's own handler would log each error to the console.
  app.use((error, request, response, next) => {
    if (response.headersSent) return next(error);
    response.status(response.statusCode < 400 ? 502 : response.statusCode).send(error.message);
  });
  const server = app.listen({ port, host: "127.0.0.1", backlog: 4096 });
  server.keepAliveTimeout = 3_600_000;
}

if (workers > 1 && cluster.isPrimary) {
  for (let i = 0; i < workers; ++i) cluster.fork();
} else {
  await serve();
}
