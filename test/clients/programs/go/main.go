// A program as people write them with client-go: typed clients (protobuf), informers, leader election, the dynamic client.
// Prints one line a step and ends with 0, or says what went wrong and ends with 1.
// The server comes from KUBECONFIG; everything happens in the namespace that is the first argument.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sort"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	applycore "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/client-go/util/retry"
)

const patience = 30 * time.Second

func main() {
	ctx, stop := context.WithTimeout(context.Background(), 2*time.Minute)
	defer stop()
	if err := run(ctx, os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, namespace string) error {
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	if err != nil {
		return err
	}
	config.QPS, config.Burst = 200, 400
	typed := rest.CopyConfig(config)
	typed.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
	typed.ContentType = "application/vnd.kubernetes.protobuf"
	client := kubernetes.NewForConfigOrDie(typed)
	if _, err := client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("create the namespace: %w", err)
	}
	steps := []struct {
		name string
		do   func() error
	}{
		{"informers see every change, and their lists are complete", func() error { return informersFollow(ctx, client, namespace) }},
		{"a conflict is a conflict, and a retry succeeds", func() error { return conflicts(ctx, client, namespace) }},
		{"server-side apply by typed configurations", func() error { return applies(ctx, client, namespace) }},
		{"pages of a list fit together", func() error { return pages(ctx, client, namespace) }},
		{"a watch ends with its time, and a future version is refused", func() error { return watches(ctx, client, namespace) }},
		{"the dynamic client and discovery know the kinds", func() error { return dynamics(ctx, config, namespace) }},
		{"one leads at a time, and the other follows when it lets go", func() error { return leaders(ctx, client, namespace) }},
	}
	for _, step := range steps {
		if err := step.do(); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
		fmt.Println("ok:", step.name)
	}
	return nil
}

func eventually(ctx context.Context, what string, done func() bool) error {
	for end := time.Now().Add(patience); time.Now().Before(end) && ctx.Err() == nil; time.Sleep(20 * time.Millisecond) {
		if done() {
			return nil
		}
	}
	return errors.New("did not come: " + what)
}

func informersFollow(ctx context.Context, client kubernetes.Interface, namespace string) error {
	maps := client.CoreV1().ConfigMaps(namespace)
	for i := range 700 {
		made := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("before-%03d", i), Labels: map[string]string{"n": fmt.Sprint(i % 7)}}}
		if _, err := maps.Create(ctx, made, metav1.CreateOptions{}); err != nil {
			return err
		}
	}
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithNamespace(namespace))
	informer := factory.Core().V1().ConfigMaps().Informer()
	secrets := factory.Core().V1().Secrets().Informer()
	var lock sync.Mutex
	seen := map[string]int{}
	count := func(kind string) func(any) {
		return func(any) { lock.Lock(); seen[kind]++; lock.Unlock() }
	}
	_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: count("added"), UpdateFunc: func(_, next any) { count("updated")(next) }, DeleteFunc: count("deleted"),
	})
	if err != nil {
		return err
	}
	following, end := context.WithCancel(ctx)
	defer end()
	factory.Start(following.Done())
	if !cache.WaitForCacheSync(ctx.Done(), informer.HasSynced, secrets.HasSynced) {
		return errors.New("the informers have not synced")
	}
	if have := len(informer.GetStore().List()); have != 700 {
		return fmt.Errorf("%d objects instead of 700 after the sync", have)
	}
	for i := range 50 {
		name := fmt.Sprintf("before-%03d", i)
		patch := []byte(`{"data":{"a":"b"}}`)
		if _, err := maps.Patch(ctx, name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}); err != nil {
			return err
		}
		if err := maps.Delete(ctx, fmt.Sprintf("before-%03d", 699-i), metav1.DeleteOptions{}); err != nil {
			return err
		}
	}
	return eventually(ctx, "50 updates and 50 deletions", func() bool {
		lock.Lock()
		defer lock.Unlock()
		return seen["added"] == 700 && seen["updated"] == 50 && seen["deleted"] == 50 && len(informer.GetStore().List()) == 650
	})
}

func conflicts(ctx context.Context, client kubernetes.Interface, namespace string) error {
	maps := client.CoreV1().ConfigMaps(namespace)
	stale, err := maps.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "contested"}, BinaryData: map[string][]byte{"b": {0, 1, 255}}}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	fresh := stale.DeepCopy()
	fresh.Data = map[string]string{"a": "1"}
	if _, err := maps.Update(ctx, fresh, metav1.UpdateOptions{}); err != nil {
		return err
	}
	stale.Data = map[string]string{"a": "2"}
	if _, err := maps.Update(ctx, stale, metav1.UpdateOptions{}); !apierrors.IsConflict(err) {
		return fmt.Errorf("a stale update came to %v", err)
	}
	err = retry.RetryOnConflict(retry.DefaultRetry, func() error {
		current, err := maps.Get(ctx, "contested", metav1.GetOptions{})
		if err != nil {
			return err
		}
		if string(current.BinaryData["b"]) != "\x00\x01\xff" {
			return fmt.Errorf("bytes came back as %v", current.BinaryData["b"])
		}
		current.Data = map[string]string{"a": "3"}
		_, err = maps.Update(ctx, current, metav1.UpdateOptions{})
		return err
	})
	if err != nil {
		return err
	}
	if _, err := maps.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "contested"}}, metav1.CreateOptions{}); !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("a second creation came to %v", err)
	}
	if _, err := maps.Get(ctx, "nosuch", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		return fmt.Errorf("a missing object came to %v", err)
	}
	_, err = maps.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "Wrong Name"}}, metav1.CreateOptions{})
	if !apierrors.IsInvalid(err) {
		return fmt.Errorf("a wrong name came to %v", err)
	}
	return nil
}

func applies(ctx context.Context, client kubernetes.Interface, namespace string) error {
	maps := client.CoreV1().ConfigMaps(namespace)
	wanted := applycore.ConfigMap("applied", namespace).WithData(map[string]string{"a": "1", "b": "2"})
	if _, err := maps.Apply(ctx, wanted, metav1.ApplyOptions{FieldManager: "one"}); err != nil {
		return err
	}
	other := applycore.ConfigMap("applied", namespace).WithData(map[string]string{"a": "9"})
	if _, err := maps.Apply(ctx, other, metav1.ApplyOptions{FieldManager: "two"}); !apierrors.IsConflict(err) {
		return fmt.Errorf("another manager's value came to %v", err)
	}
	if _, err := maps.Apply(ctx, other, metav1.ApplyOptions{FieldManager: "two", Force: true}); err != nil {
		return err
	}
	less := applycore.ConfigMap("applied", namespace).WithData(map[string]string{})
	got, err := maps.Apply(ctx, less, metav1.ApplyOptions{FieldManager: "one"})
	if err != nil {
		return err
	}
	if len(got.Data) != 1 || got.Data["a"] != "9" {
		return fmt.Errorf("after one gave up its fields the data is %v", got.Data)
	}
	extracted, err := applycore.ExtractConfigMap(got, "two")
	if err != nil || extracted.Data["a"] != "9" {
		return fmt.Errorf("what two manages cannot be extracted: %v", err)
	}
	return nil
}

func pages(ctx context.Context, client kubernetes.Interface, namespace string) error {
	maps := client.CoreV1().ConfigMaps(namespace)
	names := []string{}
	options := metav1.ListOptions{Limit: 90, LabelSelector: "n in (1,2,3)"}
	for {
		page, err := maps.List(ctx, options)
		if err != nil {
			return err
		}
		for _, item := range page.Items {
			names = append(names, item.Name)
		}
		if options.Continue = page.Continue; options.Continue == "" {
			break
		}
	}
	whole, err := maps.List(ctx, metav1.ListOptions{LabelSelector: "n in (1,2,3)"})
	if err != nil {
		return err
	}
	if len(whole.Items) != len(names) || !sort.StringsAreSorted(names) {
		return fmt.Errorf("%d objects in pages, %d at once", len(names), len(whole.Items))
	}
	return nil
}

func watches(ctx context.Context, client kubernetes.Interface, namespace string) error {
	second := int64(1)
	stream, err := client.CoreV1().Pods(namespace).Watch(ctx, metav1.ListOptions{TimeoutSeconds: &second})
	if err != nil {
		return err
	}
	for event := range stream.ResultChan() {
		return fmt.Errorf("an event of an empty collection: %v", event.Type)
	}
	future := metav1.ListOptions{ResourceVersion: "999999999999", ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan}
	// The answer says when to ask again, and the client would do so ten times, each three seconds long.
	err = client.CoreV1().RESTClient().Get().Namespace(namespace).Resource("pods").VersionedParams(&future, scheme.ParameterCodec).MaxRetries(0).Do(ctx).Error()
	if !apierrors.IsTimeout(err) && !strings.Contains(fmt.Sprint(err), "Too large resource version") {
		return fmt.Errorf("a version of the future came to %v", err)
	}
	return nil
}

func dynamics(ctx context.Context, config *rest.Config, namespace string) error {
	_, resources, err := discovery.NewDiscoveryClientForConfigOrDie(config).ServerGroupsAndResources()
	if err != nil {
		return err
	}
	kinds := map[string]bool{}
	for _, list := range resources {
		for _, resource := range list.APIResources {
			kinds[list.GroupVersion+"/"+resource.Name] = true
		}
	}
	for _, wanted := range []string{"v1/pods", "v1/pods/log", "apps/v1/deployments/scale", "coordination.k8s.io/v1/leases"} {
		if !kinds[wanted] {
			return errors.New("discovery does not name " + wanted)
		}
	}
	leases := dynamic.NewForConfigOrDie(config).Resource(schema.GroupVersionResource{Group: "coordination.k8s.io", Version: "v1", Resource: "leases"}).Namespace(namespace)
	lease := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": map[string]any{"name": "dynamic"}, "spec": map[string]any{"holderIdentity": "me"},
	}}
	if _, err := leases.Create(ctx, lease, metav1.CreateOptions{}); err != nil {
		return err
	}
	if err := leases.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{}); err != nil {
		return err
	}
	left, err := leases.List(ctx, metav1.ListOptions{})
	if err != nil || len(left.Items) != 0 {
		return fmt.Errorf("%d leases are left (%v)", len(left.Items), err)
	}
	return nil
}

func leaders(ctx context.Context, client *kubernetes.Clientset, namespace string) error {
	var lock sync.Mutex
	leading, overlaps, history := 0, 0, []string{}
	candidate := func(ctx context.Context, id string) {
		leaderelection.RunOrDie(ctx, leaderelection.LeaderElectionConfig{
			Lock: &resourcelock.LeaseLock{
				LeaseMeta: metav1.ObjectMeta{Name: "leader", Namespace: namespace}, Client: client.CoordinationV1(), LockConfig: resourcelock.ResourceLockConfig{Identity: id},
			},
			LeaseDuration: 3 * time.Second, RenewDeadline: 2 * time.Second, RetryPeriod: 200 * time.Millisecond, ReleaseOnCancel: true,
			Callbacks: leaderelection.LeaderCallbacks{
				OnStartedLeading: func(ctx context.Context) {
					lock.Lock()
					leading++
					if leading > 1 {
						overlaps++
					}
					history = append(history, id)
					lock.Unlock()
					<-ctx.Done()
					lock.Lock()
					leading--
					lock.Unlock()
				},
				OnStoppedLeading: func() {},
			},
		})
	}
	led := func() int { lock.Lock(); defer lock.Unlock(); return len(history) }
	first, end := context.WithCancel(ctx)
	go candidate(first, "first")
	if err := eventually(ctx, "the first leader", func() bool { return led() == 1 }); err != nil {
		end()
		return err
	}
	second, endSecond := context.WithCancel(ctx)
	defer endSecond()
	go candidate(second, "second")
	time.Sleep(time.Second)
	if led() != 1 {
		end()
		return errors.New("two led at once")
	}
	end()
	if err := eventually(ctx, "the second leader", func() bool { return led() == 2 }); err != nil {
		return err
	}
	if overlaps != 0 || strings.Join(history, " ") != "first second" {
		return fmt.Errorf("led: %v, overlaps: %d", history, overlaps)
	}
	return nil
}
