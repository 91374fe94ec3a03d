package blockqueue

import (
	"bytes"
	"encoding"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"
	"unicode"
)

// Settings go to the library as JSON, and what people look at comes back as JSON, in words that are the same in
// every language. This file makes one of the other: the name of a field in Go says its word (MaxAttempts is
// max_attempts), and its type says how it is written: a Duration in milliseconds under a name that ends in _ms, a
// Time in milliseconds since 1970, bytes in base64 under a name that ends in _base64.

// wireOut lets a type change what was made of its fields, where the words are no fields.
type wireOut interface {
	wireOut(members map[string]any) any
}

// wireIn is the way back; nil if it has taken what it wants.
type wireIn interface{ wireIn(found any) any }

// encodeSettings leaves out what is zero: zero means the default.
func encodeSettings(settings any) (string, error) {
	text, err := json.Marshal(toWire(reflect.ValueOf(settings), false))
	if err != nil {
		return "", invalid("the settings: %v", err)
	}
	return string(text), nil
}

// decodeAnswer reads what the library said into a new T.
func decodeAnswer[T any](text []byte) (T, error) {
	var answer T
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var found any
	if err := decoder.Decode(&found); err != nil {
		return answer, &Error{Code: ErrInternal, Detail: "an answer that is no JSON: " + err.Error(), Index: -1}
	}
	if err := fromWire(found, reflect.ValueOf(&answer).Elem()); err != nil {
		return answer, &Error{Code: ErrInternal, Detail: "an answer that was not expected: " + err.Error(), Index: -1}
	}
	return answer, nil
}

var (
	durationType = reflect.TypeFor[time.Duration]()
	timeType     = reflect.TypeFor[time.Time]()
	bytesType    = reflect.TypeFor[[]byte]()
	textType     = reflect.TypeFor[encoding.TextMarshaler]()
)

// word is the name of a field in JSON.
func word(field reflect.StructField) string {
	if given := field.Tag.Get("wire"); given != "" {
		return given
	}
	var out strings.Builder
	letters := []rune(field.Name)
	for at, letter := range letters {
		startsWord := at > 0 && unicode.IsUpper(letter) &&
			(unicode.IsLower(letters[at-1]) || at+1 < len(letters) && unicode.IsLower(letters[at+1]))
		if startsWord {
			out.WriteByte('_')
		}
		out.WriteRune(unicode.ToLower(letter))
	}
	kind := field.Type
	if kind.Kind() == reflect.Pointer {
		kind = kind.Elem()
	}
	switch kind {
	case durationType:
		out.WriteString("_ms")
	case bytesType:
		out.WriteString("_base64")
	}
	return out.String()
}

// toWire is the JSON of a value; with zeros, or without members that are zero.
func toWire(value reflect.Value, zeros bool) any {
	if value.Kind() == reflect.Pointer {
		if value.IsNil() {
			return nil
		}
		return toWire(value.Elem(), zeros)
	}
	switch {
	case value.Type() == durationType:
		return milliseconds(time.Duration(value.Int()))
	case value.Type() == timeType:
		if value.Interface().(time.Time).IsZero() {
			return nil
		}
		return value.Interface().(time.Time).UnixMilli()
	case value.Type() == bytesType:
		return base64.StdEncoding.EncodeToString(value.Bytes())
	case value.Type().Implements(textType):
		return value.Interface()
	}
	switch value.Kind() {
	case reflect.Struct:
		members := membersOf(value, zeros)
		if own, ok := value.Interface().(wireOut); ok {
			return own.wireOut(members)
		}
		return members
	case reflect.Slice:
		items := make([]any, value.Len())
		for at := range items {
			items[at] = toWire(value.Index(at), zeros)
		}
		return items
	default:
		if own, ok := value.Interface().(wireOut); ok {
			return own.wireOut(nil)
		}
		return value.Interface()
	}
}

func membersOf(structure reflect.Value, zeros bool) map[string]any {
	members := map[string]any{}
	for _, field := range reflect.VisibleFields(structure.Type()) {
		if !field.IsExported() || field.Anonymous {
			continue
		}
		value := structure.FieldByIndex(field.Index)
		if zeros || !value.IsZero() {
			members[word(field)] = toWire(value, zeros)
		}
	}
	return members
}

// fromWire stores what was found; what is null stays zero, and members that are not known are passed over: a newer
// library may say more.
func fromWire(found any, place reflect.Value) error {
	if found == nil {
		return nil
	}
	if place.Kind() == reflect.Pointer {
		place.Set(reflect.New(place.Type().Elem()))
		return fromWire(found, place.Elem())
	}
	if own, ok := place.Addr().Interface().(wireIn); ok {
		if found = own.wireIn(found); found == nil {
			return nil
		}
	}
	switch {
	case place.Type() == durationType:
		var ms int64
		err := into(found, &ms)
		place.SetInt(int64(time.Duration(ms) * time.Millisecond))
		return err
	case place.Type() == timeType:
		var ms int64
		err := into(found, &ms)
		place.Set(reflect.ValueOf(time.UnixMilli(ms).UTC()))
		return err
	case place.Kind() == reflect.Struct && !place.Type().Implements(textType):
		return fromMembers(found, place)
	case place.Kind() == reflect.Slice && place.Type() != bytesType:
		return fromItems(found, place)
	default:
		return into(found, place.Addr().Interface())
	}
}

func fromMembers(found any, place reflect.Value) error {
	members, ok := found.(map[string]any)
	if !ok {
		return fmt.Errorf("no object for %s: %v", place.Type(), found)
	}
	for _, field := range reflect.VisibleFields(place.Type()) {
		if !field.IsExported() || field.Anonymous {
			continue
		}
		if err := fromWire(members[word(field)], place.FieldByIndex(field.Index)); err != nil {
			return fmt.Errorf("%s: %w", word(field), err)
		}
	}
	return nil
}

func fromItems(found any, place reflect.Value) error {
	items, ok := found.([]any)
	if !ok {
		return fmt.Errorf("no list for %s: %v", place.Type(), found)
	}
	place.Set(reflect.MakeSlice(place.Type(), len(items), len(items)))
	for at, item := range items {
		if err := fromWire(item, place.Index(at)); err != nil {
			return fmt.Errorf("%d: %w", at, err)
		}
	}
	return nil
}

// into stores what needs no words of ours.
func into(found any, place any) error {
	text, err := json.Marshal(found)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, place)
}

// milliseconds rounds away from zero: a bound of less than a millisecond must not become none.
func milliseconds(duration time.Duration) int64 {
	whole := int64(duration / time.Millisecond)
	switch rest := duration % time.Millisecond; {
	case rest > 0:
		whole++
	case rest < 0:
		whole--
	}
	return whole
}
