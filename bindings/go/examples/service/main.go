// SPDX-License-Identifier: Apache-2.0

// Command service checks pictures that are sent to it over HTTP.
//
//	curl --data-binary @photo.jpg http://127.0.0.1:8080/check
//	curl -F picture=@photo.jpg http://127.0.0.1:8080/check
//
// The answer is the line of JSON that libitem makes, docs/json.md. /healthz tells whether it serves,
// /metrics what it did, as Prometheus reads it. SIGTERM or SIGINT ends it when what runs is answered.
//
// It trusts whoever can reach it: put it behind a server that knows its users and speaks TLS.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"image"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"libitem.invalid/go/item"
)

func main() {
	if err := run(os.Args[1:], func(addr string) { log.Printf("listening on %s", addr) }); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			os.Exit(2)
		}
		log.Fatal(err)
	}
}

// run serves until a signal comes, and tells its address when it is ready.
func run(args []string, ready func(addr string)) error {
	signalled, forget := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer forget()
	flags := flag.NewFlagSet("service", flag.ContinueOnError)
	listen := flags.String("listen", "127.0.0.1:8080", "address to listen on")
	pack := flags.String("pack", "", "folder of the pack; the installed one if empty")
	lanes := flags.Int("lanes", 0, "pictures that the engine computes side by side; 0 for its default")
	threads := flags.Int("threads", 0, "threads of each lane; 0 for physical cores / lanes")
	grace := flags.Duration("grace", 30*time.Second, "how long running requests may go on after a signal")
	limits := defaults
	limits.flags(flags)
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 || *grace < 0 {
		return errors.New("there are no arguments but flags, and the grace is no negative time")
	}
	if err := limits.check(); err != nil {
		return err
	}

	// Idle threads of the engine would take the processor from others for a while.
	if os.Getenv("OMP_WAIT_POLICY") == "" {
		os.Setenv("OMP_WAIT_POLICY", "passive")
	}
	checker, err := open(*pack, *lanes, *threads, limits.bytes)
	if err != nil {
		return err
	}
	defer checker.Close()
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	return serve(signalled, newService(checker, limits), listener, *grace, ready)
}

// open opens pack and networks, so that what is missing shows now and not at the first picture.
func open(pack string, lanes, threads int, bytes int64) (*item.Context, error) {
	if lanes != 0 || threads != 0 {
		if err := item.SetupEngine(lanes, threads); err != nil {
			return nil, err
		}
	}
	checker, err := item.Open(pack, item.Set("max_file_bytes", fmt.Sprint(bytes)))
	if err != nil {
		return nil, err
	}
	_, err = checker.Check(context.Background(), item.Picture(image.NewGray(image.Rect(0, 0, 64, 64))))
	if err != nil {
		checker.Close()
		return nil, err
	}
	return checker, nil
}

// serve answers until the context ends; then it takes no new request, lets the others end, cancels those
// that take too long, and cuts off uploads that go on even then.
func serve(signalled context.Context, s *service, listener net.Listener, grace time.Duration,
	ready func(addr string)) error {
	base, cancelAll := context.WithCancel(context.Background())
	defer cancelAll()
	server := s.server()
	server.BaseContext = func(net.Listener) context.Context { return base }
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	ready(listener.Addr().String())
	select {
	case err := <-failed:
		return err
	case <-signalled.Done():
	}
	s.stopping.Store(true)
	late := time.AfterFunc(grace, cancelAll)
	defer late.Stop()
	last, cancel := context.WithTimeout(context.Background(), grace+time.Second)
	defer cancel()
	if err := server.Shutdown(last); err != nil {
		log.Printf("connections are cut off: %v", err)
		server.Close()
	}
	if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
