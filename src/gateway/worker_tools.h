// What everything on one worker shares. Owned by the worker, which outlives whoever it is handed to.
#pragma once

#include "base/random.h"
#include "core/digest_memo.h"
#include "core/secret.h"
#include "gateway/buffer_shelf.h"
#include "gateway/counters.h"
#include "gateway/date_clock.h"
#include "gateway/log.h"
#include "gateway/route_latencies.h"
#include "gateway/route_table.h"
#include "gateway/settings.h"
#include "io/exchange_shell.h"
#include "net/loop.h"

namespace onceward::gateway {

class upstream_pool;

struct worker_tools {
  net::loop& loop;
  const settings& config;
  const route_table& routes;
  const core::deployment_secret& secret;
  core::digest_memo& digests;
  logger& log;
  worker_counters& counts;
  io::worker_context& exchanges;
  upstream_pool& upstreams;
  buffer_shelf& buffers;
  date_clock& dates;
  route_latencies& latencies;
  base::random_source& random;
  const bool& draining;  // Connections end with their present answer.
};

}  // namespace onceward::gateway
