// The store that the settings name, and the deployment secret that is kept with it.
#pragma once

#include <memory>
#include <string>

#include <tl/expected.hpp>

#include "gateway/log.h"
#include "gateway/settings.h"
#include "onceward/store.h"

namespace onceward::app {

struct opened_store {
  std::unique_ptr<store> records;
  std::string secret;
  std::string description;   // "journal in ./data, synced"
  std::string secret_place;  // A path, or where else it comes from.
};

// The error is a sentence for the operator. Warnings go to the log.
tl::expected<opened_store, std::string> open_store(const gateway::settings& settings, gateway::logger& log);

}  // namespace onceward::app
