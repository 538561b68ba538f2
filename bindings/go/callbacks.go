// SPDX-License-Identifier: Apache-2.0

package item

// #include "item_go.h"
import "C"

import "unsafe"

//export itemGoLog
func itemGoLog(user unsafe.Pointer, level C.int32_t, text *C.char) {
	// A panic that went on through libitem would leave its locks held: end the program instead.
	defer func() {
		if said := recover(); said != nil {
			go panic(said)
			select {}
		}
	}()
	userValue(user).(func(LogLevel, string))(LogLevel(level), C.GoString(text))
}

//export itemGoProgress
func itemGoProgress(user unsafe.Pointer, done, total C.uint64_t) {
	userValue(user).(*progress).report(uint64(done), uint64(total))
}

//export itemGoTrouble
func itemGoTrouble(user unsafe.Pointer, path *C.char, why *C.item_error) {
	p := userValue(user).(*progress)
	p.guard(func() { p.trouble(C.GoString(path), failure(C.item_status(why.code), why)) })
}
