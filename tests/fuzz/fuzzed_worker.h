// A worker of the gateway between byte streams: the connections, exchanges, pool, admin API and status lookup that
// ship, and a memory store, without a socket, a thread or a wait. Deadlines never come.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "core/digest_memo.h"
#include "gateway/admin.h"
#include "gateway/buffer_shelf.h"
#include "gateway/connection.h"
#include "gateway/counters.h"
#include "gateway/date_clock.h"
#include "gateway/local_request.h"
#include "gateway/proxy.h"
#include "gateway/recycler.h"
#include "gateway/route_latencies.h"
#include "gateway/status_lookup.h"
#include "gateway/upstream_pool.h"
#include "gateway/worker_tools.h"
#include "http/body_reader.h"
#include "http/head_reader.h"
#include "io/exchange_shell.h"
#include "stores/memory/memory_store.h"
#include "tests/fuzz/byte_stream.h"

namespace onceward::fuzz {

// The upstream's end of a connection: it insists on understanding every request, and gives the same answer to each when
// the request is complete.
class answering_upstream {
 public:
  answering_upstream(std::shared_ptr<byte_stream> stream, std::string answer, bool ends);

  // Reads what came. The requests that it completed.
  struct request {
    std::string method;
    std::string target;
    std::string key;  // As in the field; empty for none.
  };
  std::vector<request> look();

  byte_stream& stream() { return *stream_; }

 private:
  bool read_one(std::string_view& input);

  std::shared_ptr<byte_stream> stream_;
  const std::string answer_;
  const bool ends_;  // The connection ends with the answer.
  std::size_t read_ = 0;
  http::request_head_reader heads_;
  http::body_reader body_;
  bool in_body_ = false;
  bool is_tunnel_ = false;  // What comes now is not for us to read.
  request current_;
};

class fuzzed_worker final : private gateway::connection_home, private io::store_meter {
 public:
  // What every upstream connection answers, and whether it ends then.
  struct upstream_habit {
    std::string answer;
    bool ends = false;
  };
  explicit fuzzed_worker(upstream_habit habit);
  ~fuzzed_worker() override;

  std::shared_ptr<byte_stream> connect_client(std::size_t taken_at_once);
  std::shared_ptr<byte_stream> connect_operator(std::size_t taken_at_once);

  // Runs until everybody waits.
  void run();

  // Requests that the upstream had, in their order.
  const std::vector<answering_upstream::request>& forwarded() const { return forwarded_; }
  store& records() { return records_; }

  // For the connecting.
  std::unique_ptr<net::transport> connect_upstream();

 private:
  class admin_dispatcher final : public gateway::request_dispatcher {
   public:
    explicit admin_dispatcher(fuzzed_worker& owner) : owner_(owner) {}
    std::optional<accepted> dispatch(gateway::connection& from, const http::request_head_view& head) override;

   private:
    fuzzed_worker& owner_;
  };

  std::shared_ptr<byte_stream> connect(std::size_t taken_at_once, gateway::request_dispatcher& dispatcher);
  void on_closed(gateway::connection& done) override;
  void store_replied(std::size_t, const reply&, std::chrono::microseconds) override {}
  bool step();

  const upstream_habit habit_;
  const bool draining_ = false;
  net::loop loop_;
  memory_store::memory_store records_;
  io::waiting_room waiters_;
  gateway::worker_counters counts_;
  base::random_source random_;
  core::digest_memo digests_;
  gateway::buffer_shelf buffers_;
  gateway::date_clock dates_;
  gateway::route_latencies latencies_;
  io::mailbox replies_;
  io::worker_context exchanges_;
  gateway::upstream_pool upstreams_;
  gateway::worker_tools tools_;
  gateway::status_lookup lookup_;
  gateway::admin_sources admin_sources_;
  gateway::admin admin_;
  gateway::recycler<gateway::local_request> locals_;
  gateway::proxy proxy_;
  admin_dispatcher admin_dispatcher_;

  std::vector<std::unique_ptr<gateway::connection>> connections_;
  std::vector<std::unique_ptr<gateway::connection>> closed_;  // To be destroyed between two steps.
  std::vector<std::shared_ptr<byte_stream>> clients_;
  std::vector<answering_upstream> peers_;
  std::vector<answering_upstream::request> forwarded_;
};

}  // namespace onceward::fuzz
