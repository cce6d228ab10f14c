// The PostgreSQL store under the conformance kit, against the server in ONCEWARD_POSTGRES_URL, which is the test's own.

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "settable_clock.h"
#include "store_under_test.h"
#include "stores/postgres/migrate.h"
#include "stores/postgres/postgres_store.h"
#include "stores/postgres/session.h"

namespace onceward::conformance {
namespace {

[[noreturn]] void die(const std::string& why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  std::abort();
}

const std::string& server_url() {
  static const std::string url = [] {
    const char* given = std::getenv("ONCEWARD_POSTGRES_URL");
    if (given == nullptr) die("ONCEWARD_POSTGRES_URL does not name a database");
    return std::string(given);
  }();
  return url;
}

postgres::session connect() {
  auto made = postgres::session::open(*postgres::parse_target(server_url()));
  if (!made) die(made.error());
  return *std::move(made);
}

void run(postgres::session& with, const std::string& text) {
  if (const auto done = with.run(text); !done) die(text + ": " + done.error().message);
}

// A statement of a store that has ended may be under way at the server still, and take the same locks in another order.
void run_once_alone(postgres::session& with, const std::string& text) {
  for (;;) {
    const auto done = with.run(text);
    if (done) return;
    if (done.error().state != "40P01") die(text + ": " + done.error().message);
  }
}

// The kit sees what the store counted last; here it is always what is there now.
class counted_store final : public store {
 public:
  explicit counted_store(postgres::postgres_store& inner) : inner_(inner) {}
  void submit(command what, reply_sink& sink, std::uint64_t tag) override { inner_.submit(std::move(what), sink, tag); }
  store_statistics statistics() const override {
    inner_.count();
    return inner_.statistics();
  }

 private:
  postgres::postgres_store& inner_;
};

// The server's clock is one function of the schema, which a test replaces.
class postgres_under_test final : public store_under_test {
 public:
  explicit postgres_under_test() : admin_(connect()) {
    run_once_alone(
        admin_,
        "CREATE TABLE IF NOT EXISTS public.test_clock (ms bigint); TRUNCATE public.test_clock, onceward.record, "
        "onceward.recovery_point, onceward.response; INSERT INTO public.test_clock VALUES (0); CREATE OR REPLACE "
        "FUNCTION onceward.now_ms() "
        "RETURNS bigint LANGUAGE sql VOLATILE AS 'SELECT ms FROM public.test_clock'");
    set_clock();
    open();
  }
  ~postgres_under_test() override {
    // The last replies come while it ends.
    opened_.reset();
  }

  store& get() override { return *shown_; }
  void advance(std::chrono::milliseconds by) override {
    clock_.advance(by);
    set_clock();
  }
  wall_time now() const override { return clock_.now(); }
  claims_after_reopen after_reopen() const override { return claims_after_reopen::in_flight; }
  void reopen() override {
    opened_.reset();
    open();
  }

 private:
  void set_clock() {
    run(admin_, "UPDATE public.test_clock SET ms = " + std::to_string(clock_.now().time_since_epoch().count()));
  }

  void open() {
    postgres::options chosen;
    chosen.url = server_url();
    // The test's clock stands while statements run.
    chosen.purge_margin = std::chrono::milliseconds{0};
    chosen.statement_timeout = std::chrono::milliseconds{20'000};
    auto opened = postgres::postgres_store::open(std::move(chosen));
    if (!opened) die(opened.error());
    opened_ = *std::move(opened);
    shown_ = std::make_unique<counted_store>(*opened_);
  }

  postgres::session admin_;
  settable_clock clock_;
  std::unique_ptr<postgres::postgres_store> opened_;
  std::unique_ptr<counted_store> shown_;
};

}  // namespace

std::vector<store_factory> stores_under_test() {
  if (const auto made = postgres::migrate(server_url()); !made) die(made.error());
  return {{.name = "postgres", .make = [](const requirements&) { return std::make_unique<postgres_under_test>(); }}};
}

}  // namespace onceward::conformance
