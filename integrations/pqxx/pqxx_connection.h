// One transaction inside a transaction of libpqxx 6: a pqxx connection that tells which connection of libpq it is.
//
//   onceward::pqxx_connection data(url);
//   pqxx::work work(data);
//   onceward::transaction::postgres_transaction with(data.raw(), rules);
//   … with.begin(who), work.exec(…), with.complete(…) …
//   work.commit();
//
// pqxx makes the commit, and tells by its exceptions what became of it: pqxx::in_doubt_error is commit_unknown.
#pragma once

#include <pqxx/pqxx>
#include <string>

namespace onceward {

class pqxx_connection final : public pqxx::connection_base {
 public:
  // Connects. Throws what pqxx throws.
  explicit pqxx_connection(const std::string& options) : pqxx::connection_base(policy_), policy_(options) { init(); }
  ~pqxx_connection() noexcept { close(); }
  pqxx_connection(const pqxx_connection&) = delete;
  pqxx_connection& operator=(const pqxx_connection&) = delete;

  // Of the transaction that is open: pqxx may connect anew between two. Null where it is not connected.
  pg_conn* raw() const { return policy_.now; }

 private:
  // Sees every handle that pqxx gets and gives back.
  struct watched_connect final : pqxx::connect_direct {
    using pqxx::connect_direct::connect_direct;

    handle do_startconnect(handle from) override { return now = pqxx::connect_direct::do_startconnect(from); }
    handle do_completeconnect(handle from) override { return now = pqxx::connect_direct::do_completeconnect(from); }
    handle do_dropconnect(handle from) noexcept override { return now = pqxx::connect_direct::do_dropconnect(from); }
    handle do_disconnect(handle from) noexcept override { return now = pqxx::connect_direct::do_disconnect(from); }

    handle now = nullptr;
  };

  watched_connect policy_;
};

}  // namespace onceward
