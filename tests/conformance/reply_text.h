// Replies as text: for comparing two of them in every field, and for messages of failed tests.
#pragma once

#include <string>

#include "onceward/store.h"

namespace onceward::conformance {

// The kind alone, for example "record_completed".
std::string kind_of(const reply& value);

// Everything that the reply says. Blobs are given by size and checksum.
std::string to_text(const reply& value);

}  // namespace onceward::conformance
