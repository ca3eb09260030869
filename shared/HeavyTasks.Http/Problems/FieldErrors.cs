using Microsoft.AspNetCore.Http.HttpResults;

namespace Platform.HeavyTasks.Http;

/// <summary>
/// Collects what is wrong with a request, by field as the client wrote its name, such as <c>parameters.columns.externalId</c>.
/// </summary>
internal sealed class FieldErrors
{
    // Enough for people; a body can have thousands of faults with long names, and the answer would be many times as long.
    private const int MaxFields = 50;

    private Dictionary<string, List<string>>? errors;

    public bool Any => errors is not null;

    /// <summary>What is wrong, by field.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> All =>
        (errors ?? []).ToDictionary(e => e.Key, e => (IReadOnlyList<string>)e.Value, StringComparer.Ordinal);

    /// <summary>Whether further fields would be left out.</summary>
    public bool IsFull => errors?.Count >= MaxFields;

    /// <summary>Adds what others say.</summary>
    public void AddAll(FieldErrors others)
    {
        foreach (var (field, messages) in others.errors ?? [])
        {
            messages.ForEach(message => Add(field, message));
        }
    }

    public void Add(string field, string message)
    {
        errors ??= [];
        if (!errors.TryGetValue(field, out var messages))
        {
            if (errors.Count == MaxFields)
            {
                return;
            }

            errors[field] = messages = [];
        }

        messages.Add(message);
    }

    /// <summary>
    /// Adds every parameter of the query that is given more than once. The framework joins the values with commas, and one parameter would
    /// take the value of two.
    /// </summary>
    public void AddRepeated(IQueryCollection query, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (query[name].Count > 1)
            {
                Add(name, RequestJson.Twice);
            }
        }
    }

    /// <summary>Makes the answer: status 400 with <c>errors</c>.</summary>
    public ValidationProblem ToProblem() =>
        TypedResults.ValidationProblem(
            (errors ?? []).Select(e => KeyValuePair.Create(e.Key, e.Value.ToArray())),
            title: "The request is not valid."
        );
}
