// SPDX-License-Identifier: Apache-2.0

package item

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// tree makes a folder with ai/ and real/, each with two pictures of two sources, and one broken file.
func tree(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	for place, name := range map[string]string{
		"ai/one/a.jpg": "fish.jpg", "ai/one/b.jpg": "watch.jpg",
		"ai/two/a.jpg": "hedgehog.jpg", "ai/two/b.jpg": "surfing_dog.jpg",
		"real/one/a.jpg": "china.jpg", "real/one/b.jpg": "flower.jpg",
		"real/two/a.jpg": "coffee.jpg", "real/two/b.jpg": "rocket.jpg",
	} {
		path := filepath.Join(folder, place)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, read(t, file(name)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(folder, "ai/two/broken.jpg"), []byte("no picture"), 0o600); err != nil {
		t.Fatal(err)
	}
	return folder
}

// From pictures to a head, and from the head to an answer.
func TestTrain(t *testing.T) {
	countGoroutines(t)
	c, folder := open(t), tree(t)
	counted := uint64(0)
	made, err := c.Extract(background, folder, ExtractOptions{Progress: func(done, total uint64) { counted = total }})
	if err != nil {
		t.Fatal(err)
	}
	if made.AI != 4 || made.Real != 4 || made.Failed != 1 || made.Sources != 2 || counted != 9 {
		t.Errorf("%+v, %d counted", made, counted)
	}
	if len(made.Warnings) != 1 || !strings.Contains(made.Warnings[0], "broken.jpg") {
		t.Errorf("warnings: %q", made.Warnings)
	}
	kept := filepath.Join(folder, "data.safetensors")
	if err := made.Save(kept); err != nil {
		t.Fatal(err)
	}
	made.Close()
	made.Close()
	if err := made.Save(kept); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	data, err := LoadDataset(kept)
	if err != nil {
		t.Fatal(err)
	}
	defer data.Close()

	how := TrainOptions{Candidates: []string{"picture/1 0 1", "cosine/both/1 4"}, Epochs: 3, Draws: 50,
		TrainedOn: "eight pictures", NoControls: true}
	report, err := Train(background, data, how)
	if err != nil {
		t.Fatal(err)
	}
	defer report.Close()
	if !strings.Contains(report.JSON, `"headline"`) || !strings.Contains(report.Markdown, "# ") ||
		!strings.Contains(report.HTML, "<html") || math.IsNaN(report.Number("headline.auc")) ||
		!math.IsNaN(report.Number("no.such")) {
		t.Error(report.Markdown)
	}
	head := filepath.Join(folder, "head.safetensors")
	if err := report.WriteHead(head); err != nil {
		t.Fatal(err)
	}
	r := check(t, openOwn(t, Set("head", head)), file("fish.jpg"))
	if r.Verdict == VerdictNone || math.IsNaN(r.Probability) {
		t.Error(r.JSON)
	}
	judge(t, data, head)
}

func judge(t *testing.T, data *Dataset, head string) {
	t.Helper()
	// the head knows these pictures, which an evaluation refuses
	_, err := Evaluate(background, data, nil, EvaluateOptions{Head: head, Draws: 50})
	wantError(t, err, ErrMismatch, "trained")
	report, err := Evaluate(background, data, open(t), EvaluateOptions{Draws: 50, Threshold: "fpr5"})
	if err != nil {
		t.Fatal(err)
	}
	if math.IsNaN(report.Number("headline.auc")) {
		t.Error(report.JSON)
	}
	wantError(t, report.WriteHead(head), ErrArgument, "")
	report.Close()
	report.Close()
	if err := report.WriteHead(head); !errors.Is(err, ErrClosed) || !math.IsNaN(report.Number("headline.auc")) {
		t.Error(err)
	}
}

func TestTrainFails(t *testing.T) {
	c := open(t)
	_, err := c.Extract(background, "no/such/folder", ExtractOptions{})
	wantError(t, err, ErrIO, "no/such/folder")
	_, err = c.Extract(background, "a\x00b", ExtractOptions{})
	wantError(t, err, ErrArgument, "zero byte")
	_, err = LoadDataset(string(file("README.md")))
	wantError(t, err, ErrFormat, "README.md")
	over, cancel := context.WithCancel(background)
	_, err = c.Extract(over, tree(t), ExtractOptions{Progress: func(done, total uint64) { cancel() }})
	if !errors.Is(err, ErrCancelled) || !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestNumbersAreNotCut(t *testing.T) {
	for _, n := range []int{0, 7, math.MaxUint32} {
		if int(bounded(n)) != n || bounded(n+1<<32) != math.MaxUint32 {
			t.Errorf("%d became %d and %d", n, bounded(n), bounded(n+1<<32))
		}
	}
}
