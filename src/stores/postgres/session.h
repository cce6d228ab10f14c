// A connection that blocks, for what is done before there is anything to wait beside: verifying at start, the
// deployment secret, migrations.
#pragma once

#include <postgresql/libpq-fe.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "stores/postgres/target.h"

namespace onceward::postgres {

using text_row = std::vector<std::optional<std::string>>;

struct query_failure {
  std::string state;    // SQLSTATE; empty where libpq itself failed.
  std::string message;  // One line, for people.
};

class session {
 public:
  // The error is a sentence that names the server.
  static tl::expected<session, std::string> open(const target& where);

  // One statement with text parameters. Its rows.
  tl::expected<std::vector<text_row>, query_failure> ask(const std::string& text,
                                                         const std::vector<std::string>& parameters = {});
  // Several statements without parameters.
  tl::expected<void, query_failure> run(const std::string& text);

 private:
  struct finish {
    void operator()(PGconn* made) const;
  };
  explicit session(PGconn* made) : made_(made) {}

  std::unique_ptr<PGconn, finish> made_;
};

}  // namespace onceward::postgres
