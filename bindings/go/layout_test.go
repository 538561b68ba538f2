// SPDX-License-Identifier: Apache-2.0

package item

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"

	"libitem.invalid/go/item/internal/layout"
)

// dump is what the C compiler says of the headers: tools/layout.py.
type dump struct {
	Structs map[string]struct {
		Size    uintptr
		Members map[string][3]any // offset, size, type
	}
	Constants map[string]any
}

func readDump(t *testing.T) (d dump) {
	t.Helper()
	text, err := os.ReadFile("../../build/release/tests/layout/layout.json")
	if os.IsNotExist(err) {
		t.Skip("build/release has no tests/layout/layout.json: tools/build.py --tests makes it")
	}
	if err == nil {
		err = json.Unmarshal(text, &d)
	}
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Each member lies where C has it, and none is missing.
func TestStructsAreThoseOfC(t *testing.T) {
	known := readDump(t)
	for name, ours := range layout.Structs() {
		theirs, is := known.Structs[name]
		if !is || ours.Size() != theirs.Size || layout.Sizes()[name] != uint32(theirs.Size) {
			t.Errorf("%s: %d bytes, start value %d, in C %d", name, ours.Size(), layout.Sizes()[name], theirs.Size)
		}
		if ours.NumField() != len(theirs.Members) {
			t.Errorf("%s: %d members, in C %d", name, ours.NumField(), len(theirs.Members))
		}
		for i := 0; i < ours.NumField(); i++ {
			member := ours.Field(i)
			facts := theirs.Members[strings.TrimPrefix(member.Name, "_")]
			if facts[0] != float64(member.Offset) || facts[1] != float64(member.Type.Size()) {
				t.Errorf("%s.%s: at %d, %d bytes; in C %v", name, member.Name, member.Offset,
					member.Type.Size(), facts)
			}
		}
	}
}

// Each status, verdict, reason, level, kind, claim, flag, state and order of C has its name here.
func TestConstantsAreThoseOfC(t *testing.T) {
	ours := map[string]any{
		"ITEM_E_ARGUMENT": ErrArgument, "ITEM_E_MEMORY": ErrMemory, "ITEM_E_IO": ErrIO,
		"ITEM_E_FORMAT": ErrFormat, "ITEM_E_UNSUPPORTED": ErrUnsupported, "ITEM_E_LIMIT": ErrLimit,
		"ITEM_E_CANCELLED": ErrCancelled, "ITEM_E_BACKEND": ErrBackend, "ITEM_E_NO_ENGINE": ErrNoEngine,
		"ITEM_E_PACK": ErrPack, "ITEM_E_MISMATCH": ErrMismatch, "ITEM_E_FORKED": ErrForked,
		"ITEM_E_INTERNAL":   ErrInternal,
		"ITEM_VERDICT_NONE": VerdictNone, "ITEM_VERDICT_REAL": VerdictReal,
		"ITEM_VERDICT_UNSURE": VerdictUnsure, "ITEM_VERDICT_AI": VerdictAI,
		"ITEM_REASON_NONE": ReasonNone, "ITEM_REASON_ABOVE_THRESHOLD": ReasonAboveThreshold,
		"ITEM_REASON_BELOW_THRESHOLD": ReasonBelowThreshold, "ITEM_REASON_WEAK_EVIDENCE": ReasonWeakEvidence,
		"ITEM_REASON_NO_OBJECTS": ReasonNoObjects, "ITEM_REASON_CAPTION_UNRELIABLE": ReasonCaptionUnreliable,
		"ITEM_REASON_SIZE": ReasonSize, "ITEM_REASON_OUT_OF_SCOPE": ReasonOutOfScope,
		"ITEM_REASON_SETTINGS": ReasonSettings,
		"ITEM_LOG_ERROR":       LogError, "ITEM_LOG_WARNING": LogWarning, "ITEM_LOG_INFO": LogInfo,
		"ITEM_LOG_DEBUG":       LogDebug,
		"ITEM_PROVENANCE_C2PA": ProvenanceC2PA, "ITEM_PROVENANCE_SOURCE_TYPE": ProvenanceSourceType,
		"ITEM_PROVENANCE_GENERATOR": ProvenanceGenerator, "ITEM_PROVENANCE_UNREADABLE": ProvenanceUnreadable,
		"ITEM_CLAIM_NONE": ClaimNone, "ITEM_CLAIM_AI": ClaimAI, "ITEM_CLAIM_AI_PART": ClaimAIPart,
		"ITEM_CLAIM_CAPTURE":  ClaimCapture,
		"ITEM_INDEX_CREATE":   IndexCreate,
		"ITEM_STATE_ANSWERED": StateAnswered, "ITEM_STATE_STALE": StateStale,
		"ITEM_STATE_FAILED": StateFailed, "ITEM_STATE_MISSING": StateMissing,
		"ITEM_ORDER_PATH": OrderPath, "ITEM_ORDER_PROBABILITY": OrderProbability,
		"ITEM_ORDER_DATE": OrderDate,
	}
	met := 0
	for name, value := range readDump(t).Constants {
		for _, kind := range []string{"ITEM_E_", "ITEM_VERDICT_", "ITEM_REASON_", "ITEM_LOG_",
			"ITEM_PROVENANCE_", "ITEM_CLAIM_", "ITEM_INDEX_", "ITEM_STATE_", "ITEM_ORDER_"} {
			if !strings.HasPrefix(name, kind) {
				continue
			}
			met++
			if mine, is := ours[name]; !is || float64(reflect.ValueOf(mine).Int()) != value {
				t.Errorf("%s: %v, in C %v", name, mine, value)
			}
		}
	}
	if met != len(ours) {
		t.Errorf("%d constants in C, %d here", met, len(ours))
	}
}

// Structs of the release before and of the next one go through cgo as through C.
func TestStructsOfOtherReleases(t *testing.T) {
	known := readDump(t)
	c, failed := layout.Open()
	if failed != "" {
		t.Fatal(failed)
	}
	defer c.Close()
	const filled = 0xA5
	now := known.Structs["item_ctx_info"].Size
	before := uintptr(known.Structs["item_ctx_info"].Members["layers_width"][0].(float64))
	status, whole := c.Info(now, filled)
	if status != 0 {
		t.Fatal(Status(status))
	}
	for _, size := range []uintptr{before, now + 16} {
		status, block := c.Info(size, filled)
		if status != 0 || string(block[4:before]) != string(whole[4:before]) {
			t.Errorf("item_ctx_info of %d bytes: %v", size, Status(status))
		}
		for i := now; i < size; i++ {
			if block[i] != filled {
				t.Errorf("item_ctx_info of %d bytes: byte %d was written", size, i)
			}
		}
	}
	now = known.Structs["item_check_options"].Size
	before = uintptr(known.Structs["item_check_options"].Members["sample"][0].(float64))
	for _, size := range []uintptr{before, now, now + 16} {
		if status, message := c.Check(size, 0); status != 0 {
			t.Errorf("item_check_options of %d bytes: %s", size, message)
		}
	}
	if status, message := c.Check(now+16, 1); Status(status) != ErrArgument || !strings.Contains(message, "item_check_options") {
		t.Errorf("unknown bytes are taken: %v, %s", Status(status), message)
	}
}
