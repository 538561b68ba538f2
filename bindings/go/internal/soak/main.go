// SPDX-License-Identifier: Apache-2.0

// Command soak lets clients send pictures to the example service for some minutes, as fast as it
// answers. It prints how many, how quickly and how much memory the service held, and fails if a
// request failed, an answer changed, or memory grew by more than 5 % between a third of the time and
// its end.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"math"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"syscall"
	"time"
)

const growth = 1.05 // of memory that is allowed

func main() {
	log.SetFlags(0)
	service := flag.String("service", "", "program of the service")
	clients := flag.Int("clients", 8, "that send at once")
	length := flag.Duration("time", 3*time.Minute, "how long")
	flag.Parse()
	if err := run(*service, *clients, *length, flag.Args()); err != nil {
		log.Fatal(err)
	}
}

func run(service string, clients int, length time.Duration, pictures []string) error {
	if len(pictures) == 0 {
		return errors.New("name pictures")
	}
	child, addr, err := start(service)
	if err != nil {
		return err
	}
	defer child.Process.Kill()
	t := &tally{first: map[string]answer{}}
	until := time.Now().Add(length)
	var all sync.WaitGroup
	for i := 0; i < clients; i++ {
		all.Add(1)
		go func(i int) {
			defer all.Done()
			for n := i; time.Now().Before(until); n++ {
				t.send(addr, pictures[n%len(pictures)])
			}
		}(i)
	}
	early := memoryAround(child.Process.Pid, time.Now().Add(length/3))
	late := memoryAround(child.Process.Pid, until.Add(-time.Second))
	all.Wait()
	if err := stop(child); err != nil {
		return err
	}
	return t.judge(clients, length, early, late)
}

// start starts the service on a port that is free, and reads its address from its log.
func start(service string) (*exec.Cmd, string, error) {
	child := exec.Command(service, "-listen", "127.0.0.1:0")
	said, err := child.StderrPipe()
	if err != nil {
		return nil, "", err
	}
	if err := child.Start(); err != nil {
		return nil, "", err
	}
	lines := bufio.NewScanner(said)
	for lines.Scan() {
		if _, addr, is := strings.Cut(lines.Text(), "listening on "); is {
			go io.Copy(os.Stderr, said)
			return child, addr, nil
		}
		log.Print(lines.Text())
	}
	return nil, "", fmt.Errorf("%s does not listen: %v", service, child.Wait())
}

func stop(child *exec.Cmd) error {
	if err := child.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return child.Wait()
}

// memoryAround is the mean of what a process holds in the seconds before some time, in MB.
func memoryAround(pid int, end time.Time) float64 {
	const samples = 10
	time.Sleep(time.Until(end.Add(-samples * time.Second)))
	sum := 0.0
	for i := 0; i < samples; i++ {
		var whole, pages float64
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
		if err == nil {
			_, err = fmt.Sscan(string(text), &whole, &pages)
		}
		if err != nil {
			return math.NaN()
		}
		sum += pages * float64(os.Getpagesize()) / 1e6
		time.Sleep(time.Second)
	}
	return sum / samples
}

type answer struct {
	Verdict, Caption, Fingerprint string
	Probability                   float64
}

type tally struct {
	mu     sync.Mutex
	first  map[string]answer // of each picture
	times  []time.Duration
	failed []string
}

func (t *tally) send(addr, picture string) {
	begin := time.Now()
	got, err := ask(addr, picture)
	took := time.Since(begin)
	t.mu.Lock()
	defer t.mu.Unlock()
	before, known := t.first[picture]
	switch {
	case err != nil:
		t.failed = append(t.failed, fmt.Sprintf("%s: %v", picture, err))
	case !known:
		t.first[picture] = got
	case got.Verdict != before.Verdict || got.Caption != before.Caption ||
		got.Fingerprint != before.Fingerprint || !(math.Abs(got.Probability-before.Probability) <= 1e-4):
		t.failed = append(t.failed, fmt.Sprintf("%s: %+v, at first %+v", picture, got, before))
	}
	t.times = append(t.times, took)
}

func ask(addr, picture string) (got answer, err error) {
	content, err := os.ReadFile(picture)
	if err != nil {
		return got, err
	}
	reply, err := http.Post("http://"+addr+"/check", "application/octet-stream", bytes.NewReader(content))
	if err != nil {
		return got, err
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	if err != nil {
		return got, err
	}
	if reply.StatusCode != http.StatusOK {
		return got, fmt.Errorf("%s: %s", reply.Status, text)
	}
	return got, json.Unmarshal(text, &got)
}

func (t *tally) judge(clients int, length time.Duration, early, late float64) error {
	sort.Slice(t.times, func(i, j int) bool { return t.times[i] < t.times[j] })
	at := func(share float64) time.Duration {
		return t.times[int(share*float64(len(t.times)-1))].Round(time.Millisecond)
	}
	fmt.Printf("%d clients, %v, %d pictures of %s\n", clients, length, len(t.first), filepath.Dir(anyKey(t.first)))
	fmt.Printf("answers     %d, %.2f a second\n", len(t.times), float64(len(t.times))/length.Seconds())
	fmt.Printf("failed      %d\n", len(t.failed))
	fmt.Printf("time        median %v, 99th percentile %v, longest %v\n", at(0.5), at(0.99), at(1))
	fmt.Printf("memory      %.1f MB after a third, %.1f MB at the end: %+.1f %%\n", early, late, 100*(late/early-1))
	for _, why := range t.failed {
		fmt.Println(why)
	}
	if len(t.failed) > 0 {
		return errors.New("requests failed")
	}
	if !(late <= early*growth) {
		return errors.New("memory grew")
	}
	return nil
}

func anyKey(of map[string]answer) string {
	for key := range of {
		return key
	}
	return ""
}
