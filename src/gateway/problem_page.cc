#include "gateway/problem_page.h"

#include <fmt/format.h>

#include <array>

#include "core/problem.h"
#include "http/errors.h"

namespace onceward::gateway {
namespace {

std::string_view sentence(core::problem_retry when) {
  switch (when) {
    case core::problem_retry::never:
      return "Sending the same request again ends the same way.";
    case core::problem_retry::always:
      return "The same request, with the same key, can be sent again and can end differently.";
    case core::problem_retry::if_unknown_is_resolved:
      return "Sending the same request again ends differently only where the route probes the upstream or dispatches "
             "again, or after an operator has resolved the record.";
  }
  return {};
}

std::string_view sentence(core::problem_new_key when) {
  switch (when) {
    case core::problem_new_key::safe:
      return "A new key is safe: this request ran nothing.";
    case core::problem_new_key::unsafe:
      return "A new key is not safe: the operation may have run or may be running, and would run a second time.";
    case core::problem_new_key::safe_if_absent:
      return "A new key is safe where the member `operation_state` says absent.";
  }
  return {};
}

std::string page_of_refusal(std::string_view word, int status) {
  return fmt::format(
      "{}\n\nStatus: {}\n\nThe message was refused before it was looked at any further: the "
      "operation did not run, and a new key is safe.\nThe member `detail` says what is wrong.\n",
      word, status);
}

// What this folder refuses by itself, with http_problem().
struct own_refusal {
  std::string_view word;
  int status;
};
constexpr std::array own_refusals = {own_refusal{"ambiguous-path", 400}, own_refusal{"method-not-allowed", 405},
                                     own_refusal{"method-not-supported", 501}, own_refusal{"request-timeout", 408}};

// Refusals of the HTTP layer share their words among several faults.
std::optional<std::string> http_page(std::string_view word) {
  for (const own_refusal& each : own_refusals) {
    if (each.word == word) return page_of_refusal(word, each.status);
  }
  constexpr auto last = static_cast<unsigned>(http::parse_error::too_many_interim_responses);
  for (unsigned number = 0; number <= last; ++number) {
    const http::error_description& each = http::describe(static_cast<http::parse_error>(number));
    if (each.type == word) return page_of_refusal(word, each.status);
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> problem_page(std::string_view word) {
  for (const core::problem_description& each : core::problem_descriptions()) {
    if (each.word != word) continue;
    return fmt::format("{} ({})\n\nStatus: {}, unless the route is configured otherwise\n\n{}\n\n{}\n{}\n", each.title,
                       each.word, each.status, each.detail, sentence(each.retry), sentence(each.new_key));
  }
  return http_page(word);
}

}  // namespace onceward::gateway
