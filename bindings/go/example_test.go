// SPDX-License-Identifier: Apache-2.0

package item_test

import (
	"context"
	"errors"
	"fmt"
	"image"
	"log"
	"os"
	"time"

	"libitem.invalid/go/item"
)

const folder = "../../examples/pictures/"

func Example() {
	checker, err := item.Open("")
	if err != nil {
		log.Fatal(err)
	}
	defer checker.Close()
	result, err := checker.Check(context.Background(), item.File(folder+"surfing_dog.jpg"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%v, %.0f %%\n", result.Verdict, 100*result.Probability)
	fmt.Println(result.Reason.Text)
	fmt.Println(result.Caption)
	for _, object := range result.Objects {
		fmt.Printf("%s at %.0f\n", object.Phrase, object.Box)
	}
	// Output:
	// unsure, 42 %
	// The score lies where photographs and AI pictures mix.
	// a dog runs through the water
	// dog at [334 133 816 756]
}

// A batch answers for every picture, also for those that failed.
func ExampleContext_CheckBatch() {
	checker, err := item.Open("", item.Set("threshold", "fpr5"))
	if err != nil {
		log.Fatal(err)
	}
	defer checker.Close()
	results, err := checker.CheckBatch(context.Background(), []item.Input{
		item.File(folder + "fish.jpg"), item.File(folder + "README.md"), item.File("gone.jpg")})
	if err != nil {
		log.Fatal(err)
	}
	for _, result := range results {
		switch {
		case errors.Is(result.Err, os.ErrNotExist):
			fmt.Println("gone")
		case errors.Is(result.Err, item.ErrFormat):
			fmt.Println(result.Err)
		default:
			fmt.Println(result.Caption)
		}
	}
	// Output:
	// a young boy wearing a blue shirt is diving into the water
	// ../../examples/pictures/README.md: not a picture: a text
	// gone
}

// A context that ends cancels the call.
func ExampleContext_Check_cancel() {
	checker, err := item.Open("")
	if err != nil {
		log.Fatal(err)
	}
	defer checker.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	_, err = checker.Check(ctx, item.File(folder+"fish.jpg"))
	fmt.Println(errors.Is(err, context.DeadlineExceeded), errors.Is(err, item.ErrCancelled))
	// Output: true true
}

// Decoded once, a picture serves several calls.
func ExampleContext_Decode() {
	checker, err := item.Open("")
	if err != nil {
		log.Fatal(err)
	}
	defer checker.Close()
	ctx := context.Background()
	picture, err := checker.Decode(ctx, item.File(folder+"surfing_dog.jpg"))
	if err != nil {
		log.Fatal(err)
	}
	defer picture.Close()
	said, err := checker.Caption(ctx, picture)
	if err != nil {
		log.Fatal(err)
	}
	found, err := checker.Detect(ctx, picture, []string{"a dog"}, item.MaxObjects(1))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(picture.Width, said.Caption)
	fmt.Println(found.Objects[0].Phrase)
	// Output:
	// 1024 a dog runs through the water
	// a dog
}

// Pictures come from files, bytes, readers and Go's own pictures.
func ExampleInput() {
	drawn := image.NewGray(image.Rect(0, 0, 400, 300))
	inputs := []item.Input{
		item.File("photo.jpg"), item.Bytes("the content of a file"),
		item.Reader(os.Stdin), item.Picture(drawn),
	}
	fmt.Println(len(inputs)) // each may be given to Check
	// Output: 4
}

func ExamplePhrases() {
	phrases, err := item.Phrases("A brown dog chases two cats.")
	if err != nil {
		log.Fatal(err)
	}
	for _, phrase := range phrases {
		fmt.Println(phrase.Text)
	}
	// Output:
	// brown dog
	// two cats
}

// A folder is scanned once and asked as often as wanted.
func ExampleIndex() {
	checker, err := item.Open("")
	if err != nil {
		log.Fatal(err)
	}
	defer checker.Close()
	place, err := os.MkdirTemp("", "index")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(place)
	index, err := item.OpenIndex(place+"/pictures.item", item.IndexCreate)
	if err != nil {
		log.Fatal(err)
	}
	defer index.Close()
	some := []string{folder + "fish.jpg", folder + "surfing_dog.jpg"} // or folders
	counts, err := index.Scan(context.Background(), checker, some, item.ScanOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(counts.Answered, "were checked")
	rows, err := index.Find(item.Query{Object: "dog"})
	if err != nil {
		log.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		fmt.Println(rows.Row().Verdict, rows.Row().Caption)
	}
	if err := rows.Err(); err != nil {
		log.Fatal(err)
	}
	// Output:
	// 2 were checked
	// unsure a dog runs through the water
}
