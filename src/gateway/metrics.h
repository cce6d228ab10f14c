// What /metrics answers: the workers' counters, summed, in Prometheus' text format. docs/metrics.md is the list.
#pragma once

#include <string>
#include <string_view>

#include "gateway/gateway.h"

namespace onceward::gateway {

// Any thread; counters count on while they are read.
std::string metrics_text(const gateway_numbers_view& numbers, std::string_view version);

}  // namespace onceward::gateway
