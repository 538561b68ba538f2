// SPDX-License-Identifier: Apache-2.0

package item

// #include "item_go.h"
import "C"

// An Option is a setting of Open.
type Option func(*opening) error

// opening is a configuration that is being made.
type opening struct {
	config *C.item_config
	kept   *memory // lives as long as the context
}

// A LogLevel says how grave a line of the log is.
type LogLevel int32

// Levels of the log.
const (
	LogError   LogLevel = C.ITEM_LOG_ERROR   // something failed
	LogWarning LogLevel = C.ITEM_LOG_WARNING // answers or speed are not what they could be
	LogInfo    LogLevel = C.ITEM_LOG_INFO    // what was loaded, from where
	LogDebug   LogLevel = C.ITEM_LOG_DEBUG   // for those who look for a fault
)

// Set gives an option by name, as item_config_set() takes it: Set("threshold", "fpr5"). The names
// and values stand in <item/context.h>.
func Set(name, value string) Option {
	return func(o *opening) error {
		if err := checkTexts("an option", []string{name, value}); err != nil {
			return err
		}
		var m memory
		defer m.free()
		e := C.itemgo_error()
		status := C.item_config_set(o.config, m.text(name), m.text(value), &e)
		if status != C.ITEM_OK {
			return failure(status, &e)
		}
		return nil
	}
}

// Log lets the context tell what it does; it is silent without. The function is called by the
// goroutine whose call it belongs to, from several at once, and must not call this package.
func Log(log func(level LogLevel, line string)) Option {
	return func(o *opening) error {
		if log == nil {
			return nil
		}
		e := C.itemgo_error()
		if status := C.itemgo_set_log(o.config, o.kept.user(log), &e); status != C.ITEM_OK {
			return failure(status, &e)
		}
		return nil
	}
}

// Engine names the file of the engine module, in place of the one beside libitem.
func Engine(path string) Option {
	return func(o *opening) error {
		if err := checkText("the engine's path", path); err != nil {
			return err
		}
		var m memory
		defer m.free()
		e := C.itemgo_error()
		if status := C.item_config_set_engine(o.config, nil, m.text(path), &e); status != C.ITEM_OK {
			return failure(status, &e)
		}
		return nil
	}
}

// A CheckOption is a setting of one call.
type CheckOption func(*settings)

type settings struct {
	maxObjects uint32
	caption    string
	captions   []string
	progress   func(done, total uint64)
	sample     float64
	sampleSeed uint64
	vectors    bool
}

// MaxObjects bounds the objects of each picture; the context's option of that name is the default.
func MaxObjects(n uint32) CheckOption { return func(s *settings) { s.maxObjects = n } }

// Caption is a caption of your own for every picture of the call.
func Caption(text string) CheckOption { return func(s *settings) { s.caption = text } }

// Captions are captions of your own, one for each picture of a batch, with "" for none.
func Captions(texts ...string) CheckOption { return func(s *settings) { s.captions = texts } }

// Progress is called by the goroutine of the call, between batches.
func Progress(f func(done, total uint64)) CheckOption { return func(s *settings) { s.progress = f } }

// Sample draws the words of the caption at a temperature above 0, by a seed.
func Sample(temperature float64, seed uint64) CheckOption {
	return func(s *settings) { s.sample, s.sampleSeed = temperature, seed }
}

// Vectors asks for the vectors and features of results, which are left out otherwise.
func Vectors() CheckOption { return func(s *settings) { s.vectors = true } }
