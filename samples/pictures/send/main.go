// Sends captioned pictures: takes events of type demo.captioned-image and keeps the last ones, since nobody is there to send them to.
// GET /sent tells what was sent, GET /sent/ID gives the picture.
package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	pictureBytesMax = 8 << 20
	keptMax         = 100
)

type sent struct {
	ID      string `json:"id"`
	Caption string `json:"caption"`
	Type    string `json:"type"`
	Bytes   int    `json:"bytes"`
	picture []byte
}

// The last ones, the oldest first. An event may come twice: it counts once.
type outbox struct {
	mutex sync.Mutex
	sent  []sent
}

func (o *outbox) put(one sent) (isNew bool) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	for _, other := range o.sent {
		if other.ID == one.ID {
			return false
		}
	}
	o.sent = append(o.sent, one)
	if len(o.sent) > keptMax {
		o.sent = o.sent[1:]
	}
	return true
}

func (o *outbox) all() []sent {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	return append([]sent{}, o.sent...)
}

// The comment that the captioner wrote behind the first mark of the JPEG.
func captionOf(jpeg []byte) (string, error) {
	if len(jpeg) < 6 || !bytes.Equal(jpeg[:4], []byte{0xff, 0xd8, 0xff, 0xfe}) {
		return "", fmt.Errorf("the picture has no caption")
	}
	end := 4 + int(binary.BigEndian.Uint16(jpeg[4:]))
	if end < 6 || end > len(jpeg) {
		return "", fmt.Errorf("the picture's caption is cut off")
	}
	return string(jpeg[6:end]), nil
}

func (o *outbox) take(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("ce-type") != "demo.captioned-image" || r.Header.Get("ce-id") == "" {
		http.Error(w, "an event of type demo.captioned-image is wanted", http.StatusBadRequest)
		return
	}
	picture, err := io.ReadAll(http.MaxBytesReader(w, r.Body, pictureBytesMax))
	if err != nil {
		http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
		return
	}
	caption, err := captionOf(picture)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	one := sent{ID: r.Header.Get("ce-id"), Caption: caption, Type: r.Header.Get("content-type"), Bytes: len(picture), picture: picture}
	if o.put(one) {
		log.Printf("sent: %s", caption)
	}
	w.WriteHeader(http.StatusAccepted)
}

func (o *outbox) show(w http.ResponseWriter, r *http.Request) {
	id := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/sent"), "/")
	if id == "" {
		w.Header().Set("content-type", "application/json")
		json.NewEncoder(w).Encode(o.all())
		return
	}
	for _, one := range o.all() {
		if one.ID == id {
			w.Header().Set("content-type", one.Type)
			w.Write(one.picture)
			return
		}
	}
	http.NotFound(w, r)
}

func main() {
	port := os.Getenv("PORT")
	if port == "" {
		port = "8080"
	}
	box := &outbox{}
	server := &http.Server{Addr: ":" + port, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPost:
			box.take(w, r)
		case r.Method == http.MethodGet && strings.HasPrefix(r.URL.Path, "/sent"):
			box.show(w, r)
		default:
			http.NotFound(w, r)
		}
	})}
	stopped, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	go func() {
		<-stopped.Done()
		ending, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		server.Shutdown(ending)
	}()
	if err := server.ListenAndServe(); err != http.ErrServerClosed {
		log.Fatal(err)
	}
}
