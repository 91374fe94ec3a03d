package blockqueue

import (
	"testing"
)

type order struct {
	ID   int
	Note string `json:",omitempty"`
}

func TestJSONIsWhatItWas(t *testing.T) {
	queue := testQueue(t, ":memory:")
	_, err := PublishJSON(background, queue, "t", order{42, "ü"}, Message{Priority: 3, ContentType: "is set anew"})
	must(t, err)
	delivery := claimed(t, queue, nil)[0]
	found, err := Decode[order](delivery)
	if err != nil || found != (order{42, "ü"}) || delivery.ContentType != "application/json" || delivery.Priority != 3 {
		t.Errorf("%+v %v %+v", found, err, delivery)
	}
}

func TestWhatIsNoJSONIsSaid(t *testing.T) {
	for contentType, is := range map[string]bool{
		"": true, "application/json": true, "application/json; charset=utf-8": true, "application/ld+json": true,
		"text/plain": false, "application/jsonl": false,
	} {
		_, err := Decode[order](&Delivery{ContentType: contentType, Payload: []byte(`{"ID": 1}`)})
		if (err == nil) != is {
			t.Errorf("%q: %v", contentType, err)
		}
	}
	if _, err := Decode[order](&Delivery{Payload: []byte("x")}); err == nil {
		t.Error("it is no JSON")
	}
	if _, err := JSON(func() {}); err == nil {
		t.Error("a function is no JSON")
	}
	if _, err := DecodeResult[order](Result{State: ResultUnsettled}); err == nil {
		t.Error("there is no reply")
	}
}

func TestAPlainPublishAllocatesNothing(t *testing.T) {
	queue := testQueue(t, ":memory:")
	message := Text("payload")
	if count := testing.AllocsPerRun(100, func() { Must(queue.Publish(background, "t", message)) }); count > 0 {
		t.Errorf("%v allocations", count)
	}
}
