// SPDX-License-Identifier: Apache-2.0

// Command check prints a line of JSON for each picture file, as `item check --json` does:
//
//	go run libitem.invalid/go/item/examples/check photo.jpg other.png
//
// SIGINT ends it. The exit code is 1 where a picture failed.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"

	"libitem.invalid/go/item"
)

func main() {
	log.SetFlags(0)
	pack := flag.String("pack", "", "folder of the pack; the installed one if empty")
	batch := flag.Int("batch", 8, "files that are checked together")
	flag.Parse()
	ctx, forget := signal.NotifyContext(context.Background(), os.Interrupt)
	defer forget()
	failed, err := checkAll(ctx, *pack, *batch, flag.Args())
	if err != nil {
		log.Fatal(err)
	}
	if failed {
		os.Exit(1)
	}
}

func checkAll(ctx context.Context, pack string, batch int, names []string) (failed bool, err error) {
	checker, err := item.Open(pack, item.Set("batch", fmt.Sprint(batch)))
	if err != nil {
		return false, err
	}
	defer checker.Close()
	var some []item.Input
	for i, name := range names {
		some = append(some, item.File(name))
		if len(some) < batch && i+1 < len(names) {
			continue
		}
		results, err := checker.CheckBatch(ctx, some)
		if err != nil {
			return failed, err
		}
		for _, result := range results {
			line, err := json.Marshal(result)
			if err != nil {
				return failed, err
			}
			fmt.Printf("%s\n", line)
			failed = failed || result.Err != nil
		}
		some = nil
	}
	return failed, nil
}
