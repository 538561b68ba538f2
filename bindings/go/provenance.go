// SPDX-License-Identifier: Apache-2.0

package item

// #include "item_go.h"
import "C"

// A ProvenanceKind is where a file says something of its origin.
type ProvenanceKind int32

// The kinds.
const (
	ProvenanceC2PA       ProvenanceKind = C.ITEM_PROVENANCE_C2PA        // a manifest, not verified
	ProvenanceSourceType ProvenanceKind = C.ITEM_PROVENANCE_SOURCE_TYPE // an IPTC digital source type
	ProvenanceGenerator  ProvenanceKind = C.ITEM_PROVENANCE_GENERATOR   // what a generator writes into its files
	ProvenanceUnreadable ProvenanceKind = C.ITEM_PROVENANCE_UNREADABLE  // broken, or beyond a limit
)

// A Claim is what a file says by it of how the picture was made.
type Claim int32

// The claims.
const (
	ClaimNone    Claim = C.ITEM_CLAIM_NONE    // nothing
	ClaimAI      Claim = C.ITEM_CLAIM_AI      // AI-generated
	ClaimAIPart  Claim = C.ITEM_CLAIM_AI_PART // AI-generated in parts, or edited
	ClaimCapture Claim = C.ITEM_CLAIM_CAPTURE // taken of a real scene, or scanned
)

// Provenance is one thing that a picture's file says of its own origin: evidence beside the score and
// never in it. Nothing is verified, and anybody can write or remove it: docs/provenance.md.
type Provenance struct {
	Kind  ProvenanceKind
	Claim Claim
	Where string // in the file, such as "PNG text parameters"
	Name  string // of the generator or the source type, or ""
	Value string // as the file has it, cut at 2,000 bytes
	Text  string // the entry in a few words
}

func provenanceOf(result *C.item_result) (all []Provenance) {
	list := C.item_result_provenance(result)
	for i := C.uint32_t(0); i < C.item_provenance_count(list); i++ {
		entry := C.itemgo_provenance_entry()
		C.item_provenance_get(list, i, &entry, nil)
		all = append(all, Provenance{Kind: ProvenanceKind(entry.kind), Claim: Claim(entry.claim),
			Where: C.GoString(entry.where), Name: C.GoString(entry.name),
			Value: C.GoString(entry.value), Text: C.GoString(entry.text)})
	}
	return all
}
