// Answers that the gateway writes by itself: problem documents and local documents.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "core/policy.h"
#include "core/problem.h"
#include "http/errors.h"
#include "http/fields.h"
#include "http/writer.h"

namespace onceward::gateway {

// What a problem document's head depends on besides the problem.
struct problem_frame {
  std::optional<std::chrono::seconds> retry_after = std::nullopt;  // Where the problem wants one.
  const core::retry_hint_policy* hints = nullptr;
  http::fields_view extra = {};  // borrows: until the answer is appended
};

// What every answer of ours needs.
struct answer_frame {
  std::string_view date;  // borrows: until the answer is appended
  http::connection_option connection = http::connection_option::none;
  bool head_only = false;          // The request was HEAD: lengths are told, bodies are not sent.
  // Where the pages that describe problems are; empty for nowhere.
  std::string_view lookup_prefix;  // borrows: from the settings
};

// Appends the whole message.
void append_problem(base::byte_buffer& out, const core::problem& what, const answer_frame& frame,
                    const problem_frame& how);
void append_document(base::byte_buffer& out, int status, std::string_view content_type, std::string_view body,
                     const answer_frame& frame);

// A refusal by the HTTP layer: `word` ends the type.
core::problem http_problem(int status, std::string_view word, std::string_view detail);
core::problem http_problem(http::parse_error why);

}  // namespace onceward::gateway
