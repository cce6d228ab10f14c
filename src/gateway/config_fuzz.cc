// Any bytes as a configuration: read without harm, and what is accepted makes a route table and is accepted again.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "gateway/config.h"
#include "gateway/route_table.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace onceward::gateway;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const configuration read = read_configuration(text);
  for (const config_finding& one : read.findings) {
    const std::string line = describe(one, "fuzz");
    onceward_assert(line.find('\n') == std::string::npos);
  }
  if (has_errors(read.findings)) return 0;
  const auto table = route_table::make(read.settings);
  onceward_assert(table.has_value());
  onceward_assert(table->match("POST", "/v1/payments/1").has_value());
  check_settings(read.settings);
  return 0;
}
