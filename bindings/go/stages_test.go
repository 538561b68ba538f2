// SPDX-License-Identifier: Apache-2.0

package item

import (
	"math"
	"strings"
	"testing"
)

func TestCaptionAndDetect(t *testing.T) {
	c := open(t)
	image, err := c.Decode(background, file("surfing_dog.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	defer image.Close()
	said, err := c.Caption(background, image)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(said.Caption, "dog") || said.Verdict != VerdictNone {
		t.Errorf("%+v", said)
	}
	found, err := c.Detect(background, image, []string{"a dog", "a ship"}, MaxObjects(4))
	if err != nil {
		t.Fatal(err)
	}
	if len(found.Objects) == 0 || found.Objects[0].Phrase != "a dog" || !math.IsNaN(found.Probability) {
		t.Errorf("%+v", found)
	}
	_, err = c.Detect(background, image, nil)
	wantError(t, err, ErrArgument, "")
	_, err = c.Detect(background, image, []string{"\x00"})
	wantError(t, err, ErrArgument, "zero byte")
	_, err = c.Detect(background, image, []string{"\xff"})
	wantError(t, err, ErrFormat, "UTF-8")
}

func dot(a, b []float32) float64 {
	sum := 0.0
	for i, x := range a {
		sum += float64(x) * float64(b[i])
	}
	return sum
}

func TestEmbed(t *testing.T) {
	c := open(t)
	texts, err := c.EmbedTexts(background, []string{"a dog surfs", "", "a dog surfs"})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "equal texts", dot(texts[0], texts[2]), 1)
	if same := dot(texts[0], texts[1]); same > 0.99 {
		t.Errorf("the empty text is as good as another: %v", same)
	}
	names := []string{"surfing_dog.jpg", "china.jpg", "fish.jpg", "watch.jpg", "chelsea.jpg",
		"coffee.jpg", "flower.jpg", "rocket.jpg", "hedgehog.jpg"} // more than a batch
	var in []Input
	for _, name := range names {
		in = append(in, file(name))
	}
	images, err := c.EmbedImages(background, in)
	if err != nil {
		t.Fatal(err)
	}
	best, score := "", -1.0
	for i, row := range images {
		near(t, "length", dot(row, row), 1)
		if cosine := dot(row, texts[0]); cosine > score {
			best, score = names[i], cosine
		}
	}
	if best != names[0] {
		t.Errorf("the picture of a surfing dog is %s", best)
	}
	if none, err := c.EmbedImages(background, nil); err != nil || len(none) != 0 {
		t.Error(none, err)
	}
	_, err = c.EmbedImages(background, []Input{in[0], Bytes("no picture")})
	wantError(t, err, ErrFormat, "not a picture")
	_, err = c.EmbedTexts(background, []string{"\xff"})
	wantError(t, err, ErrFormat, "UTF-8")
}

func TestWords(t *testing.T) {
	c := open(t)
	ids, err := c.Tokenize("a dog")
	if err != nil || len(ids) != 4 { // with a token at each end
		t.Error(ids, err)
	}
	_, err = c.Tokenize("\x00")
	wantError(t, err, ErrArgument, "zero byte")

	text := "A brown dog chases two cats."
	phrases, err := Phrases(text)
	if err != nil || len(phrases) != 2 || phrases[0].Text != "brown dog" {
		t.Fatal(phrases, err)
	}
	if cut := text[phrases[1].Start:phrases[1].End]; cut != "two cats" {
		t.Errorf("%q", cut)
	}
	_, err = Phrases("\xff")
	wantError(t, err, ErrFormat, "UTF-8")
	_, err = Phrases(strings.Repeat("a", 70000))
	wantError(t, err, ErrLimit, "")
}

func TestEngine(t *testing.T) {
	facts, err := DescribeEngine()
	if err != nil || facts.Name != "torch" || facts.Lanes < 1 || facts.BLAS == "" {
		t.Error(facts, err)
	}
	if !strings.Contains(Version(), ".") {
		t.Error(Version())
	}
	wantError(t, SetupEngine(-1, 0), ErrArgument, "lanes")
	if _, err := open(t).EmbedTexts(background, []string{"a"}); err != nil { // lanes run from here on
		t.Fatal(err)
	}
	wantError(t, SetupEngine(facts.Lanes+1, 0), ErrArgument, "")
}
