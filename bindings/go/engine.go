// SPDX-License-Identifier: Apache-2.0

package item

// #include "item_go.h"
import "C"

// Version is that of the libitem that runs, such as "0.2.0".
func Version() string { return C.GoString(C.item_version()) }

// EngineInfo is what is known of the engine, for diagnosis.
type EngineInfo struct {
	Name, Version, Path string
	BLAS                string // that really runs, with its file
	BLASIsSlow          bool   // the reference BLAS
	CPU, CPUFeatures    string
	Lanes, Threads      int // engine threads, and threads of each
}

// SetupEngine loads the engine now, with lanes that compute side by side, each of so many threads;
// 0 is the default. Call it before the first network, or not at all: it holds for the process.
func SetupEngine(lanes, threads int) error {
	if lanes < 0 || threads < 0 || lanes > 1<<16 || threads > 1<<16 {
		return refused("lanes and threads must lie between 0 and 65536")
	}
	settings := C.itemgo_engine_settings()
	settings.lanes, settings.threads = C.uint32_t(lanes), C.uint32_t(threads)
	e := C.itemgo_error()
	if status := C.item_engine_setup(nil, &settings, &e); status != C.ITEM_OK {
		return failure(status, &e)
	}
	return nil
}

// DescribeEngine tells what is known of the engine; it is loaded if needed.
func DescribeEngine() (EngineInfo, error) {
	facts, e := C.itemgo_engine_info(), C.itemgo_error()
	if status := C.item_engine_get_info(nil, 0, &facts, &e); status != C.ITEM_OK {
		return EngineInfo{}, failure(status, &e)
	}
	return EngineInfo{
		Name: C.GoString(facts.name), Version: C.GoString(facts.version), Path: C.GoString(facts.path),
		BLAS: C.GoString(facts.blas), BLASIsSlow: facts.blas_is_slow != 0,
		CPU: C.GoString(facts.cpu), CPUFeatures: C.GoString(facts.cpu_features),
		Lanes: int(facts.lanes), Threads: int(facts.threads),
	}, nil
}
