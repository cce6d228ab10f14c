// Finds the rules that hold for a request. Made once from the settings, constant from then on, shared by all workers.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "core/prepared_policy.h"
#include "gateway/route_pattern.h"
#include "gateway/settings.h"

namespace onceward::gateway {

struct route_match {
  std::size_t index;                   // Of the route in the settings; their number stands for the defaults.
  const core::prepared_policy* rules;  // Lives as long as the table.
};

class route_table {
 public:
  // The error names the route and the setting that is wrong; settings that were read without errors make no such error.
  static tl::expected<route_table, core::policy_error> make(const settings& from);

  // The first route that matches, or the defaults. Nothing if the path means different things to different readers
  // (http::classify_path) and it would matter which of them is right, because some route is for such a method and
  // guards it: such a request is refused. `path` is without its query; does not allocate.
  std::optional<route_match> match(std::string_view method, std::string_view path) const;

  // Routes and defaults.
  std::size_t size() const { return entries_.size(); }
  const core::prepared_policy& rules(std::size_t index) const { return entries_[index].rules; }

 private:
  struct entry {
    std::optional<route_pattern> pattern;  // Nothing for the defaults.
    std::vector<std::string> methods;      // Empty for all.
    core::prepared_policy rules;

    bool is_for(std::string_view method) const;
    bool guards(std::string_view method) const;
  };

  route_table() = default;
  route_match at(std::size_t index) const { return {index, &entries_[index].rules}; }
  std::optional<route_match> match_ambiguous(std::string_view method) const;

  std::vector<entry> entries_;  // The defaults are the last.
};

}  // namespace onceward::gateway
