// Commands per second of a store on a server, with many outstanding at once, as a busy gateway has them. A program that
// measures a store is its store_to_measure() and store_bench.cc.
#pragma once

#include "onceward/store.h"

namespace onceward::bench {

// Opened at the first call. Where that fails, the program ends with the reason.
store& store_to_measure();

}  // namespace onceward::bench
