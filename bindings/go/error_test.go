package blockqueue

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"
)

// declaredCodes are the constants of code.go, as they are written there.
func declaredCodes(t *testing.T) map[string]string {
	file, err := parser.ParseFile(token.NewFileSet(), "code.go", nil, 0)
	must(t, err)
	out := map[string]string{}
	ast.Inspect(file, func(node ast.Node) bool {
		if spec, ok := node.(*ast.ValueSpec); ok && strings.HasPrefix(spec.Names[0].Name, "Err") {
			out[spec.Names[0].Name] = spec.Values[0].(*ast.BasicLit).Value
		}
		return true
	})
	return out
}

func TestEveryCodeOfTheListHasAConstant(t *testing.T) {
	var list []struct {
		Code   string
		Number int
		Retry  string
	}
	text, err := os.ReadFile("../../tests/golden/error_codes.json")
	must(t, err)
	must(t, json.Unmarshal(text, &list))
	declared := declaredCodes(t)
	if len(list) != len(declared) {
		t.Errorf("%d codes in the list, %d constants", len(list), len(declared))
	}
	for _, row := range list {
		if Code(row.Number).String() != row.Code || Code(row.Number).Retry().String() != row.Retry {
			t.Errorf("%v: %v, %v", row, Code(row.Number), Code(row.Number).Retry())
		}
		name := "Err"
		for _, word := range strings.Split(row.Code, "_") {
			if word == "io" || word == "sql" {
				word = strings.ToUpper(word)
			}
			name += strings.ToUpper(word[:1]) + word[1:]
		}
		name = strings.Replace(name, "Sqlite", "SQLite", 1)
		if declared[name] != fmt.Sprint(row.Number) {
			t.Errorf("%s is %q, expected %d", name, declared[name], row.Number)
		}
	}
}

func TestAnErrorHasItsCodeItsTextAndItsPlace(t *testing.T) {
	queue := testQueue(t, ":memory:")
	_, err := queue.Publish(background, "nowhere", Text("x"))
	refused(t, err, ErrUnknownTopic)
	if errors.Is(err, ErrLeaseLost) {
		t.Error("it is no other code")
	}
	var failure *Error
	if !errors.As(err, &failure) || !strings.Contains(failure.Detail, "nowhere") || failure.Index != -1 {
		t.Errorf("%+v", failure)
	}
	if failure.Code.Retry() != RetryNever || ErrBusy.Retry() != RetryLater || ErrOutcomeUnknown.Retry() != RetryReconcile {
		t.Error("the advice is another")
	}

	message := Message{Payload: []byte("a"), IdempotencyKey: "k"}
	_, err = queue.Publish(background, "t", message)
	must(t, err)
	_, err = queue.PublishBatch(background, "t", []Message{Text("b"), {Payload: []byte("c"), IdempotencyKey: "k"}})
	if !errors.As(err, &failure) || failure.Code != ErrIdempotencyConflict || failure.Index != 1 {
		t.Errorf("%+v", failure)
	}
}

func TestANumberThatIsNoCodeHasNoWord(t *testing.T) {
	if Code(0).String() != "ok" || Code(9999).String() != "" || Code(-1).String() != "" || Code(-1).Retry() != RetryNever {
		t.Error(Code(0), Code(9999), Code(-1))
	}
}
