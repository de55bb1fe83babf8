# Rotate key
curl -X POST "$API/v1/agents/self/rotate-key" \
  -H "Authorization: Bearer $CURRENT_API_KEY" \
  -H "Content-Type: application/json" \
  -d "{\"rotationSecret\": \"$ROTATION_SECRET\"}"
