// The program of the seeds' story as one static file: sleeps on request, asks others on request, counts what it has answered, and says so when it ends.
package main

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
)

// listen repeats what it hears, on its output and in the file that it was told, until its input ends.
func listen(file string) {
	kept, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		fmt.Fprintln(kept, lines.Text())
		fmt.Println("heard", lines.Text())
	}
	fmt.Println("over")
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == "listen" {
		listen(os.Args[2])
		return
	}
	var served atomic.Int64
	mux := http.NewServeMux()
	mux.HandleFunc("/served", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, served.Load()) })
	mux.HandleFunc("/ask", func(w http.ResponseWriter, r *http.Request) {
		client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
		request, err := http.NewRequest("GET", r.URL.Query().Get("url"), nil)
		if err != nil {
			fmt.Fprint(w, err)
			return
		}
		request.Host = r.URL.Query().Get("host")
		response, err := client.Do(request)
		if err != nil {
			fmt.Fprint(w, err)
			return
		}
		defer response.Body.Close()
		w.WriteHeader(response.StatusCode)
		io.Copy(w, response.Body)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if ms, err := strconv.Atoi(r.URL.Query().Get("sleep")); err == nil && ms > 0 && ms < 600_000 {
			time.Sleep(time.Duration(ms) * time.Millisecond)
		}
		served.Add(1)
		fmt.Fprint(w, "Hello World!\n")
	})
	go func() {
		if err := http.ListenAndServe(":"+os.Getenv("PORT"), mux); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}()
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM)
	<-ended
	fmt.Printf("served %d requests\n", served.Load())
}
