// Answers after `sleep` milliseconds with `size` octets; listens STARTUP_MS after its start.
package main

import (
	"context"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func number(text string, otherwise int) int {
	if value, err := strconv.Atoi(text); err == nil && value >= 0 {
		return value
	}
	return otherwise
}

func main() {
	time.Sleep(time.Duration(number(os.Getenv("STARTUP_MS"), 0)) * time.Millisecond)
	body := strings.Repeat("x", 1<<20)
	server := &http.Server{
		Addr: ":" + os.Getenv("PORT"),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			query := r.URL.Query()
			time.Sleep(time.Duration(number(query.Get("sleep"), 0)) * time.Millisecond)
			w.Write([]byte(body[:min(number(query.Get("size"), 20), len(body))]))
		}),
	}
	stopped, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	go func() {
		<-stopped.Done()
		ending, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		server.Shutdown(ending)
	}()
	if err := server.ListenAndServe(); err != http.ErrServerClosed {
		panic(err)
	}
}
